"""How good summaries are: entities, fields and ROUGE, each against a reference that is known to be true.

- entity: of all entities that reference or summary name (numbers, names, dates, amounts…), the share that both do. A
  missing one, an invented one and one that is told of the wrong conversation count alike.
- keyIssue, resolution, resolved: shares of conversations. A resolution is right when it is of the same kind.
- rouge1, rouge2, rougeL: F-measures of rouge-score with stemming, in per cent, of the whole summary.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from summarizer.conversations import Conversation, Reference
from summarizer.taxonomy import RESOLUTIONS


@dataclass(frozen=True)
class Judged:
    """One summary beside its reference. `written` is None where nothing well-formed was written."""

    made: Conversation
    written: Reference | None


def score(judged: Sequence[Judged], rouge: Callable[[str, str], Mapping[str, float]]) -> dict[str, float]:
    """All figures are shares but ROUGE. `rouge`: (reference, summary) → F-measures."""
    both = either = 0
    totals = dict.fromkeys(("keyIssue", "resolution", "resolved", "facts", "wellFormed"), 0)
    rouges: dict[str, float] = {}
    for one in judged:
        reference, written = one.made.reference(), one.written
        entities = {value.lower() for value in reference.entities}
        told = set() if written is None else {value.lower() for value in written.entities}
        both += len(entities & told)
        either += len(entities | told)
        if written is not None:
            right = {
                "keyIssue": written.issue.lower() == reference.issue.lower(),
                "resolution": kind(written.resolution) == kind(reference.resolution),
                "resolved": written.resolved == reference.resolved,
                "wellFormed": True,
            }
            right["facts"] = right["keyIssue"] and right["resolved"] and entities == told
            for name, value in right.items():
                totals[name] += value
        text = "" if written is None else f"{written.summary} {written.resolution}"
        for name, value in rouge(f"{reference.summary} {reference.resolution}", text).items():
            rouges[name] = rouges.get(name, 0.0) + value
    count = max(len(judged), 1)
    return {
        "entity": both / either if either else 1.0,
        **{name: value / count for name, value in totals.items()},
        **{name: 100 * value / count for name, value in rouges.items()},
    }


def kind(resolution: str) -> str | None:
    """Which of RESOLUTIONS a sentence is of; None for none of them."""
    text = resolution.lower()
    return next((name for name, pattern in _KINDS.items() if pattern.match(text)), None)


def _pattern(template: str) -> re.Pattern[str]:
    """The template with anything in its slots, its optional parts there or not."""
    text = re.escape(template.lower())
    text = re.sub(r"\\\[(.*?)\\\]", lambda match: f"(?:{match[1]})?", text)
    return re.compile(re.sub(r"\\\{\w+\\\}", ".+?", text) + "$")


_KINDS = {name: _pattern(resolution.sentence) for name, resolution in RESOLUTIONS.items()}
