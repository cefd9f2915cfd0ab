"""Whether two datasets hold the same rows, whatever their order and their files.

    PYTHONPATH=ml python compare.py ONE OTHER

Folders of tables as Parquet. Numbers are equal when nine digits agree: two engines need not add up in the same order.
Result: {"rows": rows compared, "different": rows that only one of them has}.
"""

from __future__ import annotations

import os
import sys

import duckdb
from common.protocol import result


def compare(one: str, other: str) -> dict[str, int]:
    """@raises SystemExit when one has a table that the other has not"""
    tables = [name for name in sorted(os.listdir(one)) if os.path.isdir(os.path.join(one, name))]
    missing = set(tables) ^ {name for name in os.listdir(other) if os.path.isdir(os.path.join(other, name))}
    if missing:
        sys.exit(f"only one of them has {', '.join(sorted(missing))}")
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    rows = different = 0
    for table in tables:
        sides = [_read(database, os.path.join(folder, table)) for folder in (one, other)]
        rows += database.execute(f"SELECT count(*) FROM ({sides[0]})").fetchone()[0]
        for here, there in (sides, sides[::-1]):
            different += database.execute(f"SELECT count(*) FROM ({here} EXCEPT ALL {there})").fetchone()[0]
    return {"rows": rows, "different": different}


def _read(database: duckdb.DuckDBPyConnection, folder: str) -> str:
    source = f"read_parquet('{folder}/*.parquet')"
    kinds = dict(row[:2] for row in database.execute(f"DESCRIBE SELECT * FROM {source}").fetchall())
    columns = [
        f"printf('%.9g', {name})" if kind in ("DOUBLE", "FLOAT") else name
        for name, kind in sorted(kinds.items())
    ]
    return f"SELECT {', '.join(columns)} FROM {source}"


if __name__ == "__main__":
    result(compare(*sys.argv[1:3]))
