"""Pull stage: copies one version of the clean dataset from the store to `data/`.

Spark puts a random uuid into the names of part files. They are renamed by content, so that equal data has an
equal hash.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import yaml
from pyarrow.fs import FileSelector, FileSystem, FileType, S3FileSystem

from common.protocol import JobError, progress, run_job

DATA = Path("data")
CHUNK = 1 << 20


def open_store(uri: str) -> tuple[FileSystem, str]:
    """File system and base path of a store: a local path, file:// or s3://, which is reached as spark/s3.py says."""
    if uri.startswith("s3://"):
        endpoint = os.environ.get("S3_ENDPOINT", "")
        path_style = os.environ.get("S3_PATH_STYLE", "auto")
        reached = {"scheme": urlsplit(endpoint).scheme, "endpoint_override": endpoint} if endpoint else {}
        fs = S3FileSystem(
            region=os.environ.get("S3_REGION", "us-east-1"),
            force_virtual_addressing=path_style == "off" or (path_style == "auto" and not endpoint),
            **reached,
        )
        return fs, uri.removeprefix("s3://").rstrip("/")
    if "://" in uri:
        return FileSystem.from_uri(uri.rstrip("/"))
    return FileSystem.from_uri(Path(uri).resolve().as_uri())


def resolve_version(store_uri: str, version: str) -> str:
    """The data version that `latest` stands for.

    Raises:
        JobError: DATASET_NOT_FOUND when nothing was prepared yet.
    """
    if version != "latest":
        return version
    fs, base = open_store(store_uri)
    pointer = f"{base}/datasets/LATEST"
    if fs.get_file_info(pointer).type != FileType.File:
        raise JobError("DATASET_NOT_FOUND", "There is no prepared dataset yet: run the prepare job first.")
    with fs.open_input_stream(pointer) as stream:
        return stream.read().decode().strip()


def pull(store_uri: str, version: str, target: Path) -> str:
    """Replace `target` by the dataset's files. Returns the data version.

    Raises:
        JobError: DATASET_NOT_FOUND, or DATASET_INCOMPLETE when its commit mark `_SUCCESS` is missing.
    """
    version = resolve_version(store_uri, version)
    if not version.isalnum():
        raise JobError("DATASET_NOT_FOUND", "The data version is not valid.")
    fs, base = open_store(store_uri)
    source = f"{base}/datasets/{version}"
    if fs.get_file_info(source).type != FileType.Directory:
        raise JobError("DATASET_NOT_FOUND", f"The store has no dataset {version}.")
    if fs.get_file_info(f"{source}/_SUCCESS").type != FileType.File:
        raise JobError(
            "DATASET_INCOMPLETE", f"The dataset {version} is not complete: run the prepare job again."
        )

    infos = fs.get_file_info(FileSelector(source, recursive=True))
    files = [PurePosixPath(info.path).relative_to(source) for info in infos if info.type == FileType.File]
    files = sorted(path for path in files if not path.name.startswith(("_", ".")))
    shutil.rmtree(target, ignore_errors=True)
    parts: dict[Path, list[tuple[str, Path]]] = {}
    for index, file in enumerate(files):
        progress(index / len(files), "pull dataset")
        copy = target / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        digest = _copy(fs, f"{source}/{file}", copy)
        if copy.suffix == ".parquet":
            parts.setdefault(copy.parent, []).append((digest, copy))
    for folder, hashed in parts.items():
        for number, (_, part) in enumerate(sorted(hashed)):
            part.rename(folder / f"part-{number:05}.parquet")
    return version


def _copy(fs: FileSystem, source: str, target: Path) -> str:
    digest = hashlib.sha256()
    with fs.open_input_stream(source) as reader, target.open("wb") as writer:
        while chunk := reader.read(CHUNK):
            digest.update(chunk)
            writer.write(chunk)
    return digest.hexdigest()


def main() -> None:
    data = yaml.safe_load(Path("params.yaml").read_text())["data"]
    version = pull(data["store_uri"], data["version"], DATA)
    print(f"pulled dataset {version}", file=sys.stderr)


if __name__ == "__main__":
    run_job(main)
