"""Reads a stranger's CSV or Parquet file in batches of bounded size, every row with its number.

Row numbers are those a spreadsheet shows: the header is row 1 of a CSV file. Parquet rows count from 1.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import os
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq
from common.protocol import JobError

ROWS_PER_BATCH = 100_000
_DELIMITERS = ("\t", ";", "|", "::", ",")
_SAMPLE = 64 * 1024
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


@dataclass
class Rows:
    """A batch: columns by name, and the number of each row. broken: rows whose shape is wrong, not in the columns."""

    columns: dict[str, pa.Array]
    numbers: list[int]
    broken: list[tuple[int, str, list[str]]]  # number, problem, cells


class TableFile:
    """An open input. `columns` are its column names; without a header they are "1", "2", and so on."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.name = os.path.basename(path)
        self.columns: list[str] = []
        self.notes: list[str] = []

    def batches(self) -> Iterator[Rows]:
        raise NotImplementedError


def open_table(path: str) -> TableFile:
    """Opens by content, not by the file's name. Raises IMPORT_FILE when it is neither CSV nor Parquet."""
    name = os.path.basename(path)
    if not os.path.exists(path):
        raise JobError("IMPORT_FILE", f"There is no file {name}.")
    if os.path.isdir(path):
        raise JobError("IMPORT_FILE", f"{name} is a folder; give one CSV or Parquet file.")
    with open(path, "rb") as file:
        start = file.read(8)
    if not start:
        raise JobError("IMPORT_FILE", f"{name} is empty.")
    if start[:4] == b"PAR1" or name.lower().endswith((".parquet", ".pq")):
        return ParquetTable(path)
    for magic, kind in (
        (b"PK\x03\x04", "a ZIP or Excel file"),
        (b"%PDF", "a PDF"),
        (b"SQLite", "a SQLite database"),
    ):
        if start.startswith(magic):
            raise JobError("IMPORT_FILE", f"{name} is {kind}; save it as CSV or Parquet.")
    return CsvTable(path)


class ParquetTable(TableFile):
    def __init__(self, path: str) -> None:
        super().__init__(path)
        try:
            self.file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as failure:
            raise JobError("IMPORT_FILE", f"{self.name} is not a readable Parquet file.") from failure
        self.columns = [field.name for field in self.file.schema_arrow]

    def batches(self) -> Iterator[Rows]:
        number = 1
        try:
            for batch in self.file.iter_batches(ROWS_PER_BATCH):
                numbers = list(range(number, number + batch.num_rows))
                number += batch.num_rows
                yield Rows(dict(zip(batch.schema.names, batch.columns, strict=True)), numbers, [])
        except (pa.ArrowException, OSError) as failure:
            raise JobError("IMPORT_FILE", f"{self.name} is damaged after row {number - 1}.") from failure


class CsvTable(TableFile):
    """Delimiter and encoding are found from the content; quotes, CRLF and gzip are understood."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.encoding = self._find_encoding()
        with self._open() as file:
            sample = file.read(_SAMPLE)
        # A file of text has hardly any; what is packed or drawn has one in nine.
        controls = len(_CONTROLS.findall(sample))
        if "\x00" in sample or controls > 0.05 * len(sample):
            raise JobError("IMPORT_FILE", f"{self.name} is a binary file, not CSV or Parquet.")
        if sample.lstrip()[:1] in ("{", "[", "<"):
            kind = "HTML or XML" if sample.lstrip()[0] == "<" else "JSON"
            raise JobError("IMPORT_FILE", f"{self.name} looks like {kind}; save it as CSV or Parquet.")
        self.delimiter = self._find_delimiter(sample)
        with self._open() as file:
            first = next(self._records(file), [])
        if not any(cell.strip() for cell in first):
            raise JobError("IMPORT_FILE", f"{self.name} does not begin with a row of column names.")
        self.header = not all(_is_number(cell) for cell in first)
        if self.header:
            self.columns = _unique([cell.strip() for cell in first])
        else:
            self.columns = [str(i + 1) for i in range(len(first))]
            self.notes.append("no header row: columns are called 1, 2, ...; name them with --column")

    def _binary(self) -> IO[bytes]:
        with open(self.path, "rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
        return gzip.open(self.path, "rb") if zipped else open(self.path, "rb")

    def _open(self) -> IO[str]:
        return codecs.getreader(self.encoding)(self._binary(), errors="replace")

    def _find_encoding(self) -> str:
        with self._binary() as file:
            start = file.read(4)
            if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
                return "utf-16"
            decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
            bad = sound = 0
            chunk = start
            try:
                while chunk:
                    decoded = decoder.decode(chunk)
                    if not decoded.isascii():
                        replaced = decoded.count("\ufffd")
                        bad += replaced
                        sound += sum(1 for character in decoded if character > "\x7f") - replaced
                    chunk = file.read(1 << 20)
                bad += decoder.decode(b"", final=True).count("\ufffd")
            except (OSError, EOFError, zlib.error) as failure:
                raise JobError("IMPORT_FILE", f"{self.name} is damaged.") from failure
        # A few bad bytes among good UTF-8 are damage; nothing but bad ones is another encoding.
        if bad > sound:
            self.notes.append("not UTF-8: read as Windows-1252")
            return "cp1252"
        if bad:
            self.notes.append(f"{bad} bytes that are not UTF-8 are shown as \ufffd")
        return "utf-8-sig"

    def _find_delimiter(self, sample: str) -> str:
        lines = [line for line in sample.splitlines()[:50] if line.strip()]
        if len(lines) > 1 and len(sample) >= _SAMPLE:
            lines.pop()  # perhaps cut
        best, score = ",", 0.0
        for delimiter in _DELIMITERS:
            counts = [_outside_quotes(line, delimiter) for line in lines]
            if not counts or counts[0] == 0:
                continue
            same = Counter(counts).most_common(1)[0][1] / len(counts)
            # "::" also counts as two ":"; none of the others contains another.
            value = same * (1 + min(counts[0], 20) / 100)
            if value > score:
                best, score = delimiter, value
        return best

    def _records(self, file: IO[str]) -> Iterator[list[str]]:
        csv.field_size_limit(1 << 24)
        lines: Iterator[str] = (line.replace("\x00", "") for line in _lines(file))
        if self.delimiter == "::":
            lines = (line.replace("::", "\x1f") for line in lines)
            return csv.reader(lines, delimiter="\x1f", quoting=csv.QUOTE_NONE)
        if self.delimiter == "\t" and not self._quoted():
            # Tab-separated exports often hold lone quotes as plain characters.
            return csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return csv.reader(lines, delimiter=self.delimiter)

    def _quoted(self) -> bool:
        with self._open() as file:
            start = file.read(_SAMPLE)
        return start.startswith('"') or ('\t"' in start and '"\t' in start)

    def batches(self) -> Iterator[Rows]:
        width = len(self.columns)
        cells: list[list[str]] = []
        numbers: list[int] = []
        broken: list[tuple[int, str, list[str]]] = []
        with self._open() as file:
            number = 0
            try:
                for record in self._records(file):
                    number += 1
                    if (
                        (number == 1 and self.header)
                        or not record
                        or (len(record) == 1 and not record[0].strip())
                    ):
                        continue
                    if len(record) != width:
                        # A trailing delimiter adds an empty cell, which says nothing.
                        if len(record) > width and not any(record[width:]):
                            record = record[:width]
                        else:
                            broken.append((number, f"has {len(record)} cells instead of {width}", record))
                            continue
                    cells.append(record)
                    numbers.append(number)
                    if len(cells) >= ROWS_PER_BATCH:
                        yield self._rows(cells, numbers, broken)
                        cells, numbers, broken = [], [], []
            except (csv.Error, EOFError) as failure:
                raise JobError(
                    "IMPORT_FILE", f"{self.name} cannot be read after row {number}: {failure}."
                ) from failure
        if cells or broken:
            yield self._rows(cells, numbers, broken)

    def _rows(
        self, cells: list[list[str]], numbers: list[int], broken: list[tuple[int, str, list[str]]]
    ) -> Rows:
        by_column = zip(*cells, strict=True) if cells else ([] for _ in self.columns)
        arrays = {
            name: pa.array(column, pa.string()) for name, column in zip(self.columns, by_column, strict=True)
        }
        return Rows(arrays, numbers, broken)


def _lines(file: IO[str]) -> Iterator[str]:
    # StreamReader's own lines also break at form feeds and the like; records end with LF, CRLF or CR alone.
    rest = ""
    while chunk := file.read(1 << 20):
        rest += chunk
        # A CR at the very end may be half of a CRLF.
        held = rest[-1:] if rest.endswith("\r") else ""
        whole = (rest[:-1] if held else rest).replace("\r\n", "\n").replace("\r", "\n")
        *lines, rest = whole.split("\n")
        rest += held
        for line in lines:
            yield line + "\n"
    if rest.strip("\r"):
        yield rest.rstrip("\r") + "\n"


def _outside_quotes(line: str, delimiter: str) -> int:
    return sum(part.count(delimiter) for part in line.split('"')[::2])


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _unique(names: list[str]) -> list[str]:
    seen: Counter[str] = Counter()
    result = []
    for position, name in enumerate(names, start=1):
        name = name or f"column {position}"
        seen[name] += 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return result
