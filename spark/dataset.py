"""Writing a dataset: tables to a draft folder, a version from their content, then one move into place."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import MapType, StructType
from storage import Storage

_DRAFT = "_draft-"


class DatasetWriter:
    """One dataset in the making. Use `add` for each table, then `publish`; `discard` after a failure."""

    def __init__(self, spark: SparkSession, store: Storage) -> None:
        self.spark, self.store = spark, store
        # What a killed run has left behind; nothing else writes here at the same time.
        for name in store.names("datasets"):
            if name.startswith(_DRAFT):
                store.delete(f"datasets/{name}")
        self.root = f"datasets/{_DRAFT}{uuid.uuid4().hex[:8]}"
        self.rows: dict[str, int] = {}
        self._contents: dict[str, str] = {}

    def add(self, table: str, frame: DataFrame, schema: StructType) -> DataFrame:
        """Writes a table, and returns it as read back: cheap to use again, whatever it took to compute.

        The content's fingerprint is taken in the same pass.
        """
        frame = frame.select(*[F.col(field.name).cast(field.dataType) for field in schema.fields])
        observation = Observation(table)
        path = self.store.uri(f"{self.root}/{table}")
        frame.observe(observation, *_fingerprint(schema)).write.mode("error").parquet(path)
        seen = observation.get
        self.rows[table] = int(seen["rows"])
        shape = [(field.name, field.dataType.simpleString()) for field in schema.fields]
        self._contents[table] = json.dumps(
            [shape, *[str(seen[name]) for name in ("rows", "first", "second")]]
        )
        return self.spark.read.schema(schema).parquet(path)

    def version(self, extra: dict[str, Any]) -> str:
        """The first 16 hex digits of a SHA-256 over the tables' content and `extra`: independent of the order
        of rows, of partitions and of file names."""
        whole = json.dumps({"tables": self._contents, "extra": extra}, sort_keys=True)
        return hashlib.sha256(whole.encode()).hexdigest()[:16]

    def publish(self, version: str, manifest: dict[str, Any]) -> bool:
        """Makes the dataset visible as `datasets/<version>` and LATEST; False: it was there already."""
        target = f"datasets/{version}"
        fresh = not self.store.committed(target)
        if fresh:
            self.store.delete(target)
            self.store.write_json(f"{self.root}/manifest.json", manifest)
            self.store.move(self.root, target)
            self.store.commit(target)
        else:
            self.discard()
        self.store.write_text("datasets/LATEST", version + "\n")
        return fresh

    def discard(self) -> None:
        self.store.delete(self.root)


def _fingerprint(schema: StructType) -> list[Any]:
    # Sums do not depend on the order of rows; two independent 64-bit hashes make a collision hopeless.
    columns = [
        # Maps have no order of their own and cannot be hashed as they are.
        F.to_json(F.array_sort(F.map_entries(field.name)))
        if isinstance(field.dataType, MapType)
        else F.col(field.name)
        for field in schema.fields
    ]
    # Null hashes like nothing, so where the nulls are is hashed too.
    nulls = [F.isnull(field.name) for field in schema.fields]

    def total(salt: int) -> Any:
        # Halves of 32 bits, so that the sum of two thousand million rows fits a long; decimals take ten times longer.
        whole = F.xxhash64(F.lit(salt), *nulls, *columns)
        return F.array(F.sum(whole.bitwiseAND(F.lit(0xFFFFFFFF))), F.sum(F.shiftrightunsigned(whole, 32)))

    return [F.count(F.lit(1)).alias("rows"), total(1).alias("first"), total(2).alias("second")]
