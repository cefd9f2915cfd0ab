"""Evaluate stage: scores the models and their baselines on the test split; `--print` shows the result."""

import argparse
import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common import drift, probe
from common.gate import RULES, Rule
from common.protocol import JobError, progress, run_job

DATA = Path("data")
OUT = Path("out")
EVALUATION = OUT / "evaluation.json"
# Model name → what its features and predictions were like, for `drift.py` to compare with later.
REFERENCE = OUT / drift.FILE

# Model name → metric → value; None for a baseline that these data do not allow.
Scores = dict[str, dict[str, float | None] | None]

TITLES = {
    "recommender": "all products ranked, those already seen masked",
    "forecaster": "the test window, forecast whole from the period before it",
    "summarizer": "conversations in the words of an author that training never saw",
}
# How a table names what the evaluation calls.
LABELS = {
    "ours": "ours",
    "popularity": "popularity",
    "itemKnn": "item-kNN",
    "ease": "EASE",
    "ceiling": "ceiling",
    "seasonalNaive": "seasonal naive",
    "movingAverage": "moving average",
    "ndcg@10": "nDCG@10",
    "recall@10": "recall@10",
    "ets": "ETS",
    "mase": "MASE",
    "backtestMase": "backtest MASE",
    "wape": "WAPE",
    "wmae": "WMAE",
    "wrmsse": "WRMSSE",
    "coverageOfSums": "coverage of sums",
    "float32": "ours in float32",
    "lead3": "first three turns",
    "firstAndLongest": "first and longest turn",
    "facts": "all facts",
    "keyIssue": "key issue",
    "wellFormed": "well-formed",
    "lostByInt8": "lost by int8",
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "rougeL": "ROUGE-L",
}


def evaluate(data: Path, out: Path) -> dict[str, Any]:
    """Shape: {dataVersion, synthetic, models: {name: {scores: {ours, baselines…}, serving} | {skipped: reason}}}.

    The first two also by model, where a model learns from other data; and by model `segments`, where it has some:
    {dimension: {segment: scores}}.
    """
    manifest = json.loads((data / "manifest.json").read_text())
    models: dict[str, Any] = {}
    for index, name in enumerate(RULES):
        progress(index / len(RULES), f"evaluate {name}")
        reason = skipped(out / name)
        if reason is not None:
            models[name] = {"skipped": reason}
        else:
            module = importlib.import_module(f"{name}.evaluate")
            models[name] = {**module.evaluate(data, out / name), "serving": probe.measure(out / name)}
    return {
        "dataVersion": manifest["dataVersion"],
        "synthetic": bool(manifest.get("synthetic", False)),
        "models": models,
    }


def references(data: Path, out: Path) -> dict[str, dict[str, drift.Histogram]]:
    """By model; of one that takes no features, or has too little data, there is none."""
    trained = [name for name in RULES if skipped(out / name) is None and drift.has_drift(name)]
    samples = {name: drift.sample(name, out / name / "bundle", data) for name in trained}
    return {name: drift.reference(then) for name, then in samples.items() if then is not None}


def skipped(folder: Path) -> str | None:
    """Why a model was not trained; None when it was."""
    file = folder / "skipped.json"
    return json.loads(file.read_text())["reason"] if file.exists() else None


def report(evaluation: Mapping[str, Any]) -> str:
    """Two aligned tables, then one line of JSON with the headline figures (null: not available)."""
    lines: list[str] = []
    for name, entry in evaluation["models"].items():
        rule = RULES[name]
        lines.append(f"{name}: {TITLES[name]}, dataset {entry.get('dataVersion', evaluation['dataVersion'])}")
        if "skipped" in entry:
            lines.append(f"  skipped: {entry['skipped']}")
        else:
            lines += _table(entry["scores"], rule)
            for dimension, segments in entry.get("segments", {}).items():
                lines += ["", *_segments(dimension, segments, rule)]
        lines.append("")
    lines.append(json.dumps(headline(evaluation)))
    return "\n".join(lines)


def headline(evaluation: Mapping[str, Any]) -> dict[str, dict[str, float | None]]:
    """nDCG@10 of the recommenders, MASE of the forecasters, and the coverage of our 80 % interval."""

    def value(model: str, who: str, metric: str | None = None) -> float | None:
        scores = evaluation["models"].get(model, {}).get("scores") or {}
        return (scores.get(who) or {}).get(metric or RULES[model].metric)

    recommenders = ("ours", "popularity", "itemKnn", "ease", "ceiling")
    forecasters = ("ours", "seasonalNaive", "ceiling")
    return {
        "recommender": {who: value("recommender", who) for who in recommenders},
        "forecaster": {
            **{who: value("forecaster", who) for who in forecasters},
            "coverage": value("forecaster", "ours", "coverage"),
        },
    }


def _segments(dimension: str, segments: Mapping[str, Scores], rule: Rule) -> list[str]:
    """One row for each segment, with the metric that decides and our share of the ceiling."""
    who = [name for name in next(iter(segments.values()), {}) if any(row[name] for row in segments.values())]
    rows = [
        [f"{LABELS[rule.metric]} by {dimension}", *(LABELS.get(name, name) for name in who), "of ceiling"]
    ]
    for segment, scores in segments.items():
        values = [(scores[name] or {}).get(rule.metric) for name in who]
        share = _share((scores["ours"] or {}).get(rule.metric), scores.get("ceiling"), rule)
        rows.append([segment, *(_shown(value) for value in values), share])
    return _aligned(rows)


def _share(value: float | None, ceiling: Mapping[str, float | None] | None, rule: Rule) -> str:
    best = (ceiling or {}).get(rule.metric)
    if not best or not value:
        return "-"
    return f"{value / best if rule.higher_is_better else best / value:.1%}"


def _table(scores: Scores, rule: Rule) -> list[str]:
    metrics = [rule.metric, *sorted({key for row in scores.values() for key in row or {}} - {rule.metric})]
    rows = [["", *(LABELS.get(key, key) for key in metrics), "of ceiling"]]

    # The best first; what is not available last.
    def rank(who: str) -> float:
        value = (scores[who] or {}).get(rule.metric)
        if value is None:
            return float("inf")
        return -value if rule.higher_is_better else value

    for who in sorted(scores, key=rank):
        row = scores[who] or {}
        share = _share(row.get(rule.metric), scores.get("ceiling"), rule)
        rows.append([LABELS.get(who, who), *(_shown(row.get(key)) for key in metrics), share])
    return _aligned(rows)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _aligned(rows: list[list[str]]) -> list[str]:
    """Rows of cells as lines; the first row and column are names."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--print", action="store_true", help="print the stored evaluation, computing it if it is missing"
    )
    options = arguments.parse_args()
    if options.print and EVALUATION.exists():
        print(report(json.loads(EVALUATION.read_text())))
        return
    if not (DATA / "manifest.json").exists():
        raise JobError("NOT_TRAINED", "There is nothing to evaluate yet: run the training first.")
    evaluation = evaluate(DATA, OUT)
    EVALUATION.parent.mkdir(parents=True, exist_ok=True)
    EVALUATION.write_text(json.dumps(evaluation, indent=2, allow_nan=False) + "\n")
    REFERENCE.write_text(json.dumps(references(DATA, OUT), allow_nan=False) + "\n")
    print(report(evaluation))


if __name__ == "__main__":
    run_job(main)
