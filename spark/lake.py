"""Batches of the lake: `<lake>/raw/<batch>/` with its tables, `batch.json`, and `_SUCCESS` written last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from storage import SUCCESS, Storage

# The same product id in several batches: the first of these kinds wins.
KINDS = ("tracked", "imported", "generated")


@dataclass(frozen=True)
class Batch:
    """One committed batch. `path` is relative to the lake; `tables` are those it has, with so many rows in all as its
    description says: for planning only."""

    name: str
    kind: str
    created_at: str
    tables: frozenset[str]
    rows: int

    @property
    def path(self) -> str:
        return f"raw/{self.name}"

    @property
    def rank(self) -> int:
        return KINDS.index(self.kind)


def committed_batches(lake: Storage) -> list[Batch]:
    """All batches with their commit mark, strongest kind first and the newest of a kind first."""
    batches = []
    for name in lake.names("raw"):
        kind = name.split("-", 1)[0]
        if kind not in KINDS or not lake.committed(f"raw/{name}"):
            continue
        entries = lake.names(f"raw/{name}")
        about = lake.read_json(f"raw/{name}/batch.json") if "batch.json" in entries else {}
        tables = {entry for entry in entries if entry not in (SUCCESS, "batch.json", "truth")}
        if "truth" in entries:
            tables |= {f"truth/{table}" for table in lake.names(f"raw/{name}/truth")}
        rows = sum(about.get("counts", {}).values())
        batches.append(Batch(name, kind, str(about.get("createdAt", "")), frozenset(tables), rows))
    batches.sort(key=lambda batch: (batch.created_at, batch.name), reverse=True)
    return sorted(batches, key=lambda batch: batch.rank)


def commit_batch(lake: Storage, name: str, inputs: dict[str, Any], counts: dict[str, int]) -> None:
    """Makes a written batch visible: its description, then the mark."""
    description = {
        "kind": name.split("-", 1)[0],
        "createdAt": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "inputs": inputs,
        "counts": counts,
    }
    lake.write_json(f"raw/{name}/batch.json", description)
    lake.commit(f"raw/{name}")


def delete_generated(lake: Storage, keep: str | None = None) -> None:
    """Deletes generated batches, also those that a crash left without a mark."""
    for name in lake.names("raw"):
        if name.startswith("generated-") and name != keep:
            lake.delete(f"raw/{name}")
