"""Files of the lake and of the store, by whatever holds them: folders, HDFS or S3.

Spark and pyarrow write the big tables; this is for the small things around them: listing batches,
commit marks, JSON beside the tables, moving and deleting folders.
"""

from __future__ import annotations

import json
import os
import shutil
from abc import ABC, abstractmethod
from typing import Any
from urllib.parse import unquote, urlparse

from common.protocol import JobError

SUCCESS = "_SUCCESS"


class Storage(ABC):
    """A tree of files below one root. Paths are relative to the root, with `/` between the parts."""

    @abstractmethod
    def uri(self, path: str) -> str:
        """The full address of `path` as Spark takes it."""

    @abstractmethod
    def exists(self, path: str) -> bool: ...

    @abstractmethod
    def names(self, path: str) -> list[str]:
        """Names of what is directly in folder `path`, sorted; none when there is no such folder."""

    @abstractmethod
    def read_text(self, path: str) -> str: ...

    @abstractmethod
    def write_text(self, path: str, text: str) -> None:
        """Writes a small file, with its folders; readers see the old text or the new, never half."""

    @abstractmethod
    def delete(self, path: str) -> None:
        """Deletes a file or a folder with all in it; nothing happens when it is not there."""

    @abstractmethod
    def move(self, source: str, target: str) -> None:
        """Renames a folder. `target` must not exist."""

    def read_json(self, path: str) -> Any:
        return json.loads(self.read_text(path))

    def write_json(self, path: str, value: Any) -> None:
        self.write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def committed(self, path: str) -> bool:
        """Whether folder `path` has its commit mark; a folder without it must not be read."""
        return self.exists(f"{path}/{SUCCESS}")

    def commit(self, path: str) -> None:
        self.write_text(f"{path}/{SUCCESS}", "")


class LocalStorage(Storage):
    """Folders of this machine."""

    def __init__(self, root: str) -> None:
        self.root = os.path.abspath(root)

    def path(self, path: str) -> str:
        return os.path.join(self.root, path) if path else self.root

    def uri(self, path: str) -> str:
        return "file://" + self.path(path)

    def exists(self, path: str) -> bool:
        return os.path.exists(self.path(path))

    def names(self, path: str) -> list[str]:
        try:
            return sorted(os.listdir(self.path(path)))
        except FileNotFoundError:
            return []

    def read_text(self, path: str) -> str:
        with open(self.path(path), encoding="utf-8") as file:
            return file.read()

    def write_text(self, path: str, text: str) -> None:
        target = self.path(path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        draft = f"{target}.{os.getpid()}.tmp"
        with open(draft, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(draft, target)

    def delete(self, path: str) -> None:
        target = self.path(path)
        if os.path.isdir(target):
            # The mark goes first: a folder that is half deleted must not look complete.
            mark = os.path.join(target, SUCCESS)
            if os.path.exists(mark):
                os.remove(mark)
            shutil.rmtree(target)
        elif os.path.exists(target):
            os.remove(target)

    def move(self, source: str, target: str) -> None:
        os.makedirs(os.path.dirname(self.path(target)), exist_ok=True)
        os.rename(self.path(source), self.path(target))


class HadoopStorage(Storage):
    """HDFS, S3 (s3a) and all else that Spark's Hadoop client knows, through the driver's JVM."""

    def __init__(self, root: str, spark: Any) -> None:
        self.root = root.rstrip("/")
        self._jvm = spark.sparkContext._jvm
        self._fs = self._hadoop_path("").getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())

    def _hadoop_path(self, path: str) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(self.uri(path))

    def uri(self, path: str) -> str:
        return f"{self.root}/{path}" if path else self.root

    def exists(self, path: str) -> bool:
        return bool(self._fs.exists(self._hadoop_path(path)))

    def names(self, path: str) -> list[str]:
        if not self.exists(path):
            return []
        return sorted(status.getPath().getName() for status in self._fs.listStatus(self._hadoop_path(path)))

    def read_text(self, path: str) -> str:
        stream = self._fs.open(self._hadoop_path(path))
        try:
            return bytes(stream.readAllBytes()).decode("utf-8")
        finally:
            stream.close()

    def write_text(self, path: str, text: str) -> None:
        # HDFS has no replacing rename in its public API and S3 has no partial objects: overwrite in place.
        stream = self._fs.create(self._hadoop_path(path), True)
        stream.write(bytearray(text.encode("utf-8")))
        stream.close()

    def delete(self, path: str) -> None:
        self._fs.delete(self._hadoop_path(f"{path}/{SUCCESS}"), False)
        self._fs.delete(self._hadoop_path(path), True)

    def move(self, source: str, target: str) -> None:
        self._fs.mkdirs(self._hadoop_path(target).getParent())
        if not self._fs.rename(self._hadoop_path(source), self._hadoop_path(target)):
            raise JobError("STORE_WRITE_FAILED", f"Cannot put {os.path.basename(target)} in its place.")


def open_storage(uri: str, spark: Any = None) -> Storage:
    """Opens a plain path, `file:///…`, or any address of Spark's Hadoop client (needs `spark`)."""
    scheme = urlparse(uri).scheme
    if scheme == "file":
        return LocalStorage(unquote(urlparse(uri).path))
    if not scheme:
        return LocalStorage(uri)
    if spark is None:
        raise JobError("LAKE_UNSUPPORTED", f"This step works on local folders, not on {scheme} addresses.")
    return HadoopStorage(uri.replace("s3://", "s3a://", 1), spark)
