"""From conversations to what a model reads and writes.

    reads:   PROMPT, then one line a turn, entities as placeholders
    writes:  <ISSUE> label <SUMMARY> sentence <RESOLUTION> sentence <RESOLVED> or <OPEN>

A part of a long conversation is read with what is known of the parts before it as its first line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict

from summarizer.conversations import Conversation, Reference, Turn
from summarizer.entities import Masked, Masker

PROMPT = (
    "Summarize the following customer support conversation and identify the key issue and the resolution:"
)
SO_FAR = "Summary so far"
FIELDS = ("<ISSUE>", "<SUMMARY>", "<RESOLUTION>", "<RESOLVED>", "<OPEN>")

_CUSTOMER = re.compile(
    r"customer|client|user|guest|shopper|visitor|buyer|purchaser|caller|consumer|member|enquirer|kund|cliente?"
    r"|\bme\b|\byou\b",
    re.IGNORECASE,
)
_AGENT = re.compile(
    r"agent|support|assistant|\bbot\b|advis|represent|\brep\b|staff|service|help|operator|\bteam\b|\bshop\b|\bstore\b|seller"
    r"|\bcare\b|relations|desk\b",
    re.IGNORECASE,
)


def role(label: str) -> str | None:
    """Customer, Agent, or None where the label does not tell."""
    if _AGENT.search(label):
        return "Agent"
    return "Customer" if _CUSTOMER.search(label) else None


def roles(labels: Sequence[str]) -> dict[str, str]:
    """What each speaker is called in the prompt. Where one of two is known, the other one is the other."""
    distinct = list(dict.fromkeys(labels))
    known = {label: found for label in distinct if (found := role(label))}
    rest = [label for label in distinct if label not in known]
    if len(set(known.values())) == 1 and rest:
        other = "Agent" if "Customer" in known.values() else "Customer"
        # Several agents serve one customer, not the other way round.
        if other == "Agent" or len(rest) == 1:
            known |= dict.fromkeys(rest, other)
    return {label: known.get(label, label) for label in distinct}


def so_far(reference: Reference) -> str:
    return f"{SO_FAR}: {reference.issue}. {reference.summary} {reference.resolution}"


def lines(turns: Sequence[Turn], names: dict[str, str]) -> list[str]:
    return [f"{names[turn.speaker]}: {' '.join(turn.text.split())}" for turn in turns]


def source(masked: Masked) -> str:
    return "\n".join([PROMPT, *masked.texts])


def target(reference: Reference) -> str:
    flag = "<RESOLVED>" if reference.resolved else "<OPEN>"
    return (
        f"<ISSUE> {reference.issue} <SUMMARY> {reference.summary} <RESOLUTION> {reference.resolution} {flag}"
    )


def example(
    masker: Masker, made: Conversation, begin: int = 0, end: int | None = None
) -> tuple[str, str, Masked]:
    """Source and target of the turns [begin, end), with what came before in one line."""
    end = len(made.turns) if end is None else end
    names = roles([turn.speaker for turn in made.turns])
    texts = lines(made.turns[begin:end], names)
    if begin > 0:
        texts = [so_far(made.reference(begin)), *texts]
    masked = masker.mask(texts)
    values = [*made.concern.values(), *made.settlement.values()]
    rename = {value: name for value in values if (name := masked.placeholder(value))}
    return source(masked), target(made.reference(end, rename)), masked


def plain(made: Conversation) -> dict[str, object]:
    """A conversation as evaluation data. `all`: every entity that was said about the case, in the reference or not."""
    return {
        "turns": [{"speaker": turn.speaker, "text": turn.text} for turn in made.turns],
        "agent": made.agent,
        "all": [*made.others],
        **asdict(made.reference()),
    }
