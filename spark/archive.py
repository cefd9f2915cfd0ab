"""The code of this folder for machines that do not have it."""

from __future__ import annotations

import zipfile
from pathlib import Path

_SPARK = Path(__file__).resolve().parent


def archive_code(path: str) -> None:
    """Writes a zip of the modules of jobs, from which driver and executors import."""
    ml = _SPARK.parent / "ml"
    with zipfile.ZipFile(path, "w") as archive:
        for root, pattern in ((_SPARK, "**/*.py"), (ml, "common/*.py")):
            for file in sorted(root.glob(pattern)):
                archive.write(file, file.relative_to(root))
