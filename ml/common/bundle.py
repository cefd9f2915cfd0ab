"""The bundle of a model: the files serving needs, and `hashira.json`, which names each with its sha256."""

import hashlib
import json
from pathlib import Path

MANIFEST = "hashira.json"


def file_hashes(folder: Path) -> dict[str, str]:
    """sha256 of every file below `folder`, by relative POSIX path, sorted."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): _sha256(path) for path in files}


def bundle_hash(files: dict[str, str]) -> str:
    """One sha256 over names and contents: equal bundles have equal hashes, wherever they were made."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
