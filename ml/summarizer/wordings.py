"""What people say: files of wordings, one author each, and how they are read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

FOLDER = Path(__file__).with_name("wordings")
# Section → its lines; in sections of pairs a line holds two messages.
Wordings = Mapping[str, list[str]]

PAIR = " => "
LEAST_STARTS = 2
# Of which authors may have written too few.
_FUNCTION_WORDS = Path(__file__).with_name("function_words.txt")
# Lines begin with who speaks.
_LINES = ("customer", "agent", "summary")
_SLOT = re.compile(r"\{\w+\}")


def read(file: Path) -> Wordings:
    """@raises ValueError for a line before the first section"""
    sections: dict[str, list[str]] = {}
    lines: list[str] | None = None
    for line in file.read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if not line or line.startswith("# "):
            continue
        if line.startswith("[") and line.endswith("]"):
            lines = sections.setdefault(line[1:-1], [])
        elif lines is None:
            raise ValueError(f"{file.name}: a line before the first section")
        else:
            lines.append(line)
    return sections


def training() -> list[Wordings]:
    """All authors that a model may learn from."""
    return [read(file) for file in sorted(FOLDER.glob("*.txt"))]


def starters(authors: Iterable[Wordings]) -> list[str]:
    """Words that begin a sentence, in small letters: capitals that name nobody."""
    found: Counter[str] = Counter()
    for sections in authors:
        for name, lines in sections.items():
            if name in WORLD:
                continue
            for line in lines:
                text = _SLOT.sub("·", line)
                for match in re.finditer(r"(?:^|[.!?:;…]\s+|=> )[\"'“(]*([A-Za-zÀ-ž][A-Za-zÀ-ž'’-]*)", text):
                    found[re.sub(r"['’].*$", "", match[1]).lower()] += 1
    # One line that begins with "Lucky" does not make it less of a name.
    return sorted(
        {
            *_FUNCTION_WORDS.read_text().split(),
            *_LINES,
            *(word for word, count in found.items() if count >= LEAST_STARTS),
        }
    )


def words(authors: Iterable[Wordings]) -> list[str]:
    """Words of the messages, in small letters."""
    return sorted(
        {
            word
            for sections in authors
            for name, lines in sections.items()
            if name not in WORLD
            for line in lines
            for word in re.findall(r"[a-z]+", _SLOT.sub(" ", line).lower())
        }
    )


# Sections that are no messages.
WORLD = {"names", "agents", "products", "streets", "cities", "orders", "speakers"}
