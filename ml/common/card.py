"""The model card: what a version is, what it learned from, how good it is, and where that ends. Markdown."""

from collections.abc import Mapping
from typing import Any

from common.evaluate import LABELS, TITLES, Scores
from common.gate import RULES, Decision, Serving

FILE = "MODEL_CARD.md"

ABOUT = {
    "recommender": (
        "Ranks products for a user: candidates of several sources, ordered by gradient-boosted trees (LightGBM, "
        "lambdarank) exported to ONNX.",
        "Lists of products for users whom the shop knows. Its scores compare products within one list of one user, and "
        "are no probabilities.",
        "It learned from what people chose among what this shop showed them. Products and users that are newer than its "
        "data are unknown to it: serving fills in what is popular.",
    ),
    "forecaster": (
        "Forecasts units sold per product, category and shop: gradient-boosted trees (LightGBM) blended with simple "
        "forecasts, with a calibrated 80 % interval, exported to ONNX.",
        "Planning of stock and purchases over horizons up to those it was measured on.",
        "It knows sales, prices, promotions and the calendar of its data, and no event that was never in them. Intervals "
        "hold on average over products, and not for each.",
    ),
    "summarizer": (
        "Summarizes a support conversation and names its key issue: a T5 exported to ONNX, in whole numbers of 8 bits.",
        "Drafts for people in support, who review them.",
        "It was taught by conversations made up for it. What it has not read, as other languages, it tells badly.",
    ),
}


def card(
    name: str,
    evaluated: Mapping[str, Any],
    manifest: Mapping[str, Any],
    lineage: Mapping[str, str],
    decision: Decision,
    seed: int,
) -> str:
    """`evaluated`: what `evaluate.py` says of the model, with `dataVersion` and `synthetic`; `manifest`: the dataset's.

    `evaluated["segments"]`, where there is one, is {dimension: {segment: scores}}, scores as of the whole.
    """
    what, use, limits = ABOUT[name]
    # A model may learn from data of its own, of which the shop's manifest says nothing.
    own = evaluated["dataVersion"] != manifest.get("dataVersion")
    parts = [
        f"# {name}",
        what,
        "## Data",
        _list(
            {
                "Version": f"`{evaluated['dataVersion']}`",
                "Made by": "a generator: all figures below are of synthetic data"
                if evaluated["synthetic"]
                else "a shop",
                "Period": None if own else _period(manifest),
                "Rows": None if own else _counts(manifest.get("counts", {})),
                "Held out": None if own else _split(manifest.get("split")),
                "Job": lineage["data_job"] and f"`{lineage['data_job']}`",
                "Code": f"`{lineage['commit']}`, seed {seed}",
            }
        ),
        "## Measured",
        f"On the test split: {TITLES[name]}. Decided by {_label(RULES[name].metric)}, "
        f"{'higher' if RULES[name].higher_is_better else 'lower'} is better.",
        _table(evaluated["scores"], RULES[name].metric),
    ]
    for dimension, segments in evaluated.get("segments", {}).items():
        parts += [f"### {_label(RULES[name].metric)} by {dimension}", _segments(segments, RULES[name].metric)]
    if evaluated.get("serving"):
        parts += ["## Served", _served(evaluated["serving"])]
    parts += [
        "## Gate",
        f"{'Passed' if decision.passed else 'Failed'}: {decision.reason}.",
        "## Use and limits",
        f"{use}\n\n{limits}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _list(lines: Mapping[str, str | None]) -> str:
    return "\n".join(f"- {label}: {text}" for label, text in lines.items() if text)


def _period(manifest: Mapping[str, Any]) -> str | None:
    first, last = manifest.get("firstDate"), manifest.get("lastDate")
    return f"{first} to {last}" if first and last else None


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {_words(name)}" for name, count in counts.items())


def _split(split: Mapping[str, Any] | None) -> str | None:
    if not split:
        return None
    if split.get("testEnd"):
        return f"after {split['trainEnd']} to choose by, after {split['validEnd']} to judge by"
    return f"at random ({split.get('kind')})"


def _served(serving: Serving) -> str:
    return (
        f"The exported model is within {serving['parity']:.1e} of the trained one, and answers {serving['rows']} rows in "
        f"{serving['latencyMs']:.1f} ms on one thread of the machine that trained it."
    )


def _table(scores: Scores, metric: str) -> str:
    metrics = [metric, *sorted({key for row in scores.values() for key in row or {}} - {metric})]
    lines = [
        ["", *map(_label, metrics)],
        ["---", *["---:"] * len(metrics)],
        *([_label(who), *(_figure(row, key) for key in metrics)] for who, row in scores.items()),
    ]
    return _markdown(lines)


def _segments(segments: Mapping[str, Scores], metric: str) -> str:
    """A row for each segment, a column for each that was measured."""
    who = list(next(iter(segments.values())))
    lines = [
        ["", *map(_label, who)],
        ["---", *["---:"] * len(who)],
        *([segment, *(_figure(scores[one], metric) for one in who)] for segment, scores in segments.items()),
    ]
    return _markdown(lines)


def _markdown(lines: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _figure(row: Mapping[str, float | None] | None, key: str) -> str:
    value = (row or {}).get(key)
    return "–" if value is None else f"{value:.4f}"


def _label(key: str) -> str:
    return LABELS.get(key, key)


def _words(name: str) -> str:
    """visitorEvents → visitor events"""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
