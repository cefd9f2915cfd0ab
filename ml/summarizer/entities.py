"""Entities and their placeholders: what a model never reads or writes itself.

Every number, date, amount, address and proper name of a conversation is replaced by a placeholder such as `<DATE_1>` before the
model reads it, and put back where the model writes the placeholder. So a model cannot change a digit, and names that
training never saw are no harder than others. People and products are one family, `NAME`: what a name is, the words around
it tell the model.

The patterns are data (`entities.json`) that ships with each model, for the other implementation, in
subgraphs/summary/entities.ts, to read too; golden files hold both together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SPEC = Path(__file__).with_name("entities.json")
# What a family has too many of.
OVERFLOW = "<OTHER>"
PLACEHOLDER = re.compile(r"<([A-Z]+)_(\d+)>")

# A pattern's finds are kept as one character of the private area, so that later patterns cannot look into them.
_MARK = 0xE000
# Names looked for again in other letters.
_MOST_NAMES = 40


@dataclass
class Masked:
    """`texts` with placeholders; `values`: placeholder → what stood there first."""

    texts: list[str]
    values: dict[str, str] = field(default_factory=dict)

    def placeholder(self, value: str) -> str | None:
        """Of an entity of the texts, whatever its case; None where it was not recognised as one."""
        wanted = _key(value)
        return next((name for name, known in self.values.items() if _key(known) == wanted), None)


class Masker:
    """`starters`: words that begin sentences and no names, `common`: words that alone at a beginning are no name; lower case."""

    def __init__(self, spec: dict[str, Any], starters: Iterable[str], common: Iterable[str]) -> None:
        self.starters, self.common = frozenset(starters), frozenset(common)
        self.most: dict[str, int] = spec["most"]
        parts: dict[str, str] = spec["parts"]

        def compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
            while re.search(r"\{[A-Za-z]+\}", pattern):
                pattern = re.sub(r"\{([A-Za-z]+)\}", lambda match: parts[match[1]], pattern)
            return re.compile(pattern, flags)

        self.patterns = [
            (
                entry["family"],
                compiled(entry["pattern"], re.IGNORECASE if entry.get("ignoreCase") else 0),
                compiled(entry.get("needs", "")),
            )
            for entry in spec["patterns"]
        ]
        self.letter = parts["W"]
        self.word = compiled(r"[{W}][{W}'’-]*")
        self.particle = compiled(r"^{particle}$")
        self.upper = compiled(r"[{U}]")
        self.name = compiled(r"^(?:[{U}][{W}'’-]*)(?: [{U}][{W}'’-]*){0,3}[.!]?$")

    @classmethod
    def load(cls, starters: Iterable[str], common: Iterable[str]) -> Masker:
        return cls(json.loads(SPEC.read_text()), starters, common)

    def mask(self, texts: Sequence[str]) -> Masked:
        """Placeholders are numbered by family in the order of appearance; equal values share one."""
        # Marks come from the texts themselves, so none may be there before.
        marked = [re.sub("[\ue000-\uf8ff]", " ", text) for text in texts]
        found: list[tuple[str, str]] = []

        def mark(family: str, value: str) -> str:
            found.append((family, value))
            return chr(_MARK + len(found) - 1)

        for index, text in enumerate(marked):
            for family, pattern, needs in self.patterns:
                text = pattern.sub(
                    lambda match, family=family, needs=needs: (
                        mark(family, match[0]) if needs.search(match[0]) else match[0]
                    ),
                    text,
                )
            marked[index] = text
        for index, text in enumerate(marked):
            marked[index] = self._names(text, mark)
        marked = self._again(marked, found)
        return self._numbered(marked, found)

    def _names(self, text: str, mark: Any) -> str:
        words = list(self.word.finditer(text))
        capital = [bool(self.upper.match(word[0])) and not re.match(r"I(['’]|$)", word[0]) for word in words]
        # Who shouts says nothing about names.
        loud = sum(word[0].isupper() and len(word[0]) > 1 for word in words)
        if loud >= 3 and loud * 2 > len(words):
            return text
        whole = self.name.match(text.strip()) is not None
        spans: list[tuple[int, int]] = []
        at = 0
        while at < len(words):
            if not capital[at]:
                at += 1
                continue
            end = at + 1
            while (following := self._next(text, words, capital, end)) is not None:
                end = following
            begin = at
            if self._begins(text, words[at].start()):
                first = _bare(words[at][0]).lower()
                alone = end - begin == 1
                if first in self.starters or (alone and first in self.common and not whole):
                    begin += 1
                    while begin < end and not capital[begin]:
                        begin += 1
            if begin < end:
                spans.append((words[begin].start(), words[end - 1].start() + len(_bare(words[end - 1][0]))))
            at = end
        for begin, end in reversed(spans):
            text = text[:begin] + mark("NAME", text[begin:end]) + text[end:]
        return text

    def _next(self, text: str, words: list[re.Match[str]], capital: list[bool], end: int) -> int | None:
        """The end of a name that goes on with the word at `end`, over particles if need be; None where it ends before."""
        at = end
        while at < len(words) and at - end < 3 and text[words[at - 1].end() : words[at].start()] == " ":
            if capital[at]:
                return at + 1
            if not self.particle.match(words[at][0]):
                return None
            at += 1
        return None

    @staticmethod
    def _begins(text: str, at: int) -> bool:
        before = text[:at].rstrip(" \"'“”‘’(*-–—")
        if not before or before[-1] in ".!?:;\n…":
            return True
        last = before[-1]
        return not (last.isalnum() or last in ",'’&/" or "\ue000" <= last <= "\uf8ff")

    def _again(self, marked: list[str], found: list[tuple[str, str]]) -> list[str]:
        """Names written elsewhere in small letters, and parts of names."""
        names = {value for family, value in found if family == "NAME" and " " in value}
        for value in sorted(names, key=lambda name: (-len(name), name))[:_MOST_NAMES]:
            pattern = re.compile(rf"(?<![{self.letter}]){re.escape(value)}(?![{self.letter}])", re.IGNORECASE)

            def mark(match: re.Match[str]) -> str:
                found.append(("NAME", match[0]))
                return chr(_MARK + len(found) - 1)

            marked = [pattern.sub(mark, text) for text in marked]
        return marked

    def _numbered(self, marked: list[str], found: list[tuple[str, str]]) -> Masked:
        masked = Masked([])
        known: dict[tuple[str, str], str] = {}
        parts: dict[str, str] = {}
        counts: dict[str, int] = {}

        def placeholder(match: re.Match[str]) -> str:
            index = ord(match[0]) - _MARK
            if index >= len(found):
                return " "
            family, value = found[index]
            key = (family, _key(value))
            if key in known:
                return known[key]
            if family == "NAME" and key[1] in parts:
                return parts[key[1]]
            counts[family] = counts.get(family, 0) + 1
            if counts[family] > self.most[family]:
                return OVERFLOW
            name = f"<{family}_{counts[family]}>"
            known[key], masked.values[name] = name, value.strip(" #") if family == "CODE" else value
            if family == "NAME" and " " in value:
                for part in key[1].split(" "):
                    parts.setdefault(part, name)
            return name

        masked.texts = [re.sub("[\ue000-\uf8ff]", placeholder, text) for text in marked]
        return masked


def restore(text: str, values: dict[str, str]) -> str:
    """The text with its entities. @raises KeyError for a placeholder that stands for nothing"""
    return PLACEHOLDER.sub(lambda match: values[match[0]], text)


def _key(value: str) -> str:
    return re.sub(r"\s+", " ", value.strip(" #")).lower()


def _bare(word: str) -> str:
    return re.sub(r"['’](s|S)?$", "", word).rstrip("-'’")
