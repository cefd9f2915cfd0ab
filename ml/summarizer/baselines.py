"""Summaries that need no model: what the speakers said themselves."""

from __future__ import annotations

from collections.abc import Sequence

# Speaker and text.
Turns = Sequence[tuple[str, str]]


def lead_three(turns: Turns) -> str:
    """The first three turns: what a summary of news would be."""
    return " ".join(text for _, text in turns[:3])


def first_and_longest(turns: Turns) -> str:
    """The first turn, and the longest of anybody else."""
    others = [text for speaker, text in turns if speaker != turns[0][0]]
    return f"{turns[0][1]} {max(others, key=len, default='')}"
