"""Evaluate stage: scores the models and their baselines on the test split; `--print` shows the result."""

import argparse
import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.gate import RULES
from common.protocol import JobError, progress, run_job

DATA = Path("data")
OUT = Path("out")
EVALUATION = OUT / "evaluation.json"

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
    """Shape: {dataVersion, synthetic, models: {name: {scores: {ours, baselines…}} | {skipped: reason}}}.

    The first two also by model, where a model learns from other data.
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
            models[name] = {"scores": module.evaluate(data, out / name)}
            # What a model learns from need not be the dataset of the shop.
            if hasattr(module, "data_version"):
                models[name] |= {"dataVersion": module.data_version(), "synthetic": True}
    return {
        "dataVersion": manifest["dataVersion"],
        "synthetic": bool(manifest.get("synthetic", False)),
        "models": models,
    }


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
            lines += _table(entry["scores"], rule.metric, rule.higher_is_better)
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


def _table(scores: Scores, metric: str, higher_is_better: bool) -> list[str]:
    metrics = [metric, *sorted({key for row in scores.values() for key in row or {}} - {metric})]
    ceiling = (scores.get("ceiling") or {}).get(metric)
    rows = [["", *(LABELS.get(key, key) for key in metrics), "of ceiling"]]

    # The best first; what is not available last.
    def rank(who: str) -> float:
        value = (scores[who] or {}).get(metric)
        if value is None:
            return float("inf")
        return -value if higher_is_better else value

    for who in sorted(scores, key=rank):
        row = scores[who] or {}
        share = None
        if ceiling and row.get(metric):
            share = row[metric] / ceiling if higher_is_better else ceiling / row[metric]
        rows.append(
            [
                LABELS.get(who, who),
                *("-" if row.get(key) is None else f"{row[key]:.4f}" for key in metrics),
                "-" if share is None else f"{share:.1%}",
            ]
        )
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
    print(report(evaluation))


if __name__ == "__main__":
    run_job(main)
