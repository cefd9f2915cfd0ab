"""The promotion gate: whether a new model version may become `production`.

A version passes when, on the test split of its data,
1. it beats every baseline that must be beaten, and its other metrics lie within their safety bands;
2. it can be served: the exported model says what the trained one said, within its latency budget;
3. it is not worse than the production version. Scores of two data versions cannot be compared, so then the
   *lift* over the strongest of those baselines is: it may fall, since data gets easier and harder, but not
   collapse (`LIFT_KEPT`). A production version trained on data of another kind (synthetic, real) says nothing
   about these data, and is not compared.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict

Scores = Mapping[str, float]

# Least share of production's lift that a version on other data must keep.
LIFT_KEPT = 0.75
# Equal training on equal data may differ in the last digits; that is not "worse".
TOLERANCE = 1e-6


class Serving(TypedDict):
    """How an exported model does, as `probe.py` measures it."""

    parity: float
    """Largest difference to the trained model, relative where answers exceed one."""
    latencyMs: float
    """Median time in which one thread answers a batch of `rows` rows."""
    rows: int


@dataclass(frozen=True)
class Budget:
    """The most that serving allows."""

    parity: float
    latency_ms: float


@dataclass(frozen=True)
class Rule:
    """What one model is judged by. `bands`: metric → inclusive (least, most)."""

    metric: str
    higher_is_better: bool
    must_beat: tuple[str, ...]
    may_lack: tuple[str, ...] = ()
    """of these, those that some data do not allow"""
    bands: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    serving: Budget | None = None


RULES = {
    "recommender": Rule(
        "ndcg@10",
        higher_is_better=True,
        must_beat=("popularity", "itemKnn", "ease"),
        # Catalogues may be too large for it.
        may_lack=("ease",),
        serving=Budget(parity=1e-4, latency_ms=10),
    ),
    # Coverage of the 80 % interval: a wide band, so that only a broken interval stops a better forecast.
    "forecaster": Rule(
        "mase",
        higher_is_better=False,
        must_beat=("seasonalNaive", "naive", "movingAverage", "ets"),
        bands={"coverage": (0.70, 0.90)},
        serving=Budget(parity=1e-3, latency_ms=50),
    ),
    # What is told must be true; how it is told, which ROUGE measures, matters less.
    "summarizer": Rule(
        "facts",
        higher_is_better=True,
        must_beat=("lead3", "firstAndLongest"),
        bands={
            "entity": (0.97, 1.0),
            "keyIssue": (0.85, 1.0),
            "resolved": (0.90, 1.0),
            "wellFormed": (0.99, 1.0),
            "lostByInt8": (0.0, 0.5),
        },
    ),
}


@dataclass(frozen=True)
class Evaluation:
    """Metrics by model name, `ours` and baselines, on the test split of one data version."""

    scores: Mapping[str, Scores | None]
    data_version: str
    synthetic: bool
    serving: Serving | None = None
    """Not needed of the version in production: it is served."""


@dataclass(frozen=True)
class Decision:
    passed: bool
    reason: str


def decide(model: str, candidate: Evaluation, production: Evaluation | None) -> Decision:
    """Judge `candidate`. `production`: None when there is none, or its evaluation is unknown."""
    rule = RULES[model]
    ours = _score(candidate, "ours", rule)
    if ours is None:
        return Decision(False, f"{rule.metric} of the model is not known")

    for baseline in rule.must_beat:
        theirs = _score(candidate, baseline, rule)
        if theirs is None and baseline in rule.may_lack:
            continue
        if theirs is None:
            return Decision(False, f"{rule.metric} of the baseline {baseline} is not known")
        if not _better(ours, theirs, rule):
            return Decision(False, f"{rule.metric} {ours:.4f} does not beat {baseline} with {theirs:.4f}")

    for metric, (least, most) in rule.bands.items():
        value = (candidate.scores["ours"] or {}).get(metric)
        if value is None or not least <= value <= most:
            shown = "unknown" if value is None else f"{value:.3f}"
            return Decision(False, f"{metric} {shown} is outside {least:.2f} to {most:.2f}")

    problem, served = _served(candidate.serving, rule.serving)
    if problem:
        return Decision(False, problem)

    known = [name for name in rule.must_beat if _score(candidate, name, rule) is not None]
    beaten = f"{rule.metric} {ours:.4f} beats {', '.join(known)}{served}"
    theirs = None if production is None else _score(production, "ours", rule)
    if production is None or theirs is None:
        return Decision(True, f"{beaten}; no version is in production")
    if production.data_version == candidate.data_version:
        if _better(theirs, ours, rule, margin=TOLERANCE):
            return Decision(
                False, f"{rule.metric} {ours:.4f} is worse than production with {theirs:.4f} on the same data"
            )
        return Decision(True, f"{beaten}; not worse than production with {theirs:.4f} on the same data")
    if production.synthetic != candidate.synthetic:
        return Decision(True, f"{beaten}; production was trained on data of another kind")
    lift, production_lift = _lift(candidate, rule), _lift(production, rule)
    if lift is not None and production_lift is not None and lift < LIFT_KEPT * production_lift:
        return Decision(
            False,
            f"lift over the baselines fell to {lift:.2f} from {production_lift:.2f} of production",
        )
    return Decision(True, f"{beaten}; production was trained on other data")


def _served(measured: Serving | None, budget: Budget | None) -> tuple[str | None, str]:
    """What is wrong with serving, if anything, and how it was measured; nothing where a model has no budget."""
    if budget is None:
        return None, ""
    if measured is None:
        return "parity and latency of the exported model are not known", ""
    parity, latency, rows = measured["parity"], measured["latencyMs"], measured["rows"]
    if not parity <= budget.parity:
        return (
            f"the exported model differs from the trained one by {parity:.1e}, {budget.parity:.0e} allowed",
            "",
        )
    if not latency <= budget.latency_ms:
        return f"{rows} rows take {latency:.1f} ms, {budget.latency_ms:g} allowed", ""
    return None, f"; exported within {parity:.1e} of the trained model; {rows} rows in {latency:.1f} ms"


def _score(evaluation: Evaluation, name: str, rule: Rule) -> float | None:
    value = (evaluation.scores.get(name) or {}).get(rule.metric)
    return value if value is not None and math.isfinite(value) else None


def _better(a: float, b: float, rule: Rule, margin: float = 0.0) -> bool:
    return a > b + margin if rule.higher_is_better else a < b - margin


def _lift(evaluation: Evaluation, rule: Rule) -> float | None:
    """How many times better than the strongest baseline: above 1 is better, for scores and for errors."""
    ours = _score(evaluation, "ours", rule)
    baselines = [score for name in rule.must_beat if (score := _score(evaluation, name, rule)) is not None]
    if not ours or not baselines:
        return None
    best = max(baselines) if rule.higher_is_better else min(baselines)
    if rule.higher_is_better:
        return ours / best if best > 0 else None
    return best / ours
