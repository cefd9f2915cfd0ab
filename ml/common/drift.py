"""Drift: how far what a model gets and says has moved since it was trained, by the population stability index (PSI).

    python ml/common/drift.py --bundles DIR --store-uri URI [--data-version V]

The evaluate stage keeps a histogram of every feature and of the predictions over the last days of the training data
(`reference`). This job takes the last days of a newer dataset in the same way (`sample` of <model>/drift.py) and
compares them. DIR holds `<model>/`, the bundle, and `<model>.json`, its reference.

PSI = sum over buckets of (p - q) ln(p / q), p and q the buckets' shares then and now. A common reading: below 0.1
nothing has happened, above 0.2 something has.
"""

import argparse
import importlib
import importlib.util
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

import numpy as np

if __name__ == "__main__":
    # Run as a file from anywhere: modules are named from the folder above, not from its own.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from common.protocol import log, progress, result, run_job
from common.pull import pull

FILE = "drift.json"
PREDICTION = "prediction"
"""Name of the predictions among the features."""
DAYS = 28
"""Last days of a dataset that are compared."""
LEAST = 30
"""With fewer users or series, chance moves a share as far as drift does."""
BUCKETS = 10
# Counted to every bucket, so that an empty one gives no infinity.
PRIOR = 0.5

Columns = Mapping[str, np.ndarray]


class Histogram(TypedDict):
    """`counts`: values up to each edge, those above the last, and those that are no number."""

    edges: list[float]
    counts: list[int]


def reference(columns: Columns) -> dict[str, Histogram]:
    """Histograms with about as many values in each bucket; what has few values has a bucket for each.

    One bucket below the least value and one above the greatest are empty, and show later what was never seen before.
    """
    histograms: dict[str, Histogram] = {}
    for name, column in columns.items():
        known = column[np.isfinite(column)].astype(np.float64)
        edges = np.empty(0)
        if len(known):
            inner = np.quantile(known, np.linspace(0, 1, BUCKETS + 1), method="inverted_cdf")
            edges = np.unique([np.nextafter(inner[0], -np.inf), *inner])
        histograms[name] = {"edges": edges.tolist(), "counts": _counts(column, edges).tolist()}
    return histograms


def psi(then: Mapping[str, Histogram], now: Columns) -> dict[str, float]:
    """PSI of each feature that both have; finite and never negative."""
    return {
        name: _psi(
            np.array(then[name]["counts"]), _counts(now[name], np.array(then[name]["edges"], np.float64))
        )
        for name in then
        if name in now
    }


def _counts(column: np.ndarray, edges: np.ndarray) -> np.ndarray:
    known = column[np.isfinite(column)].astype(np.float64)
    bucket = np.searchsorted(edges, known, side="left")
    return np.append(np.bincount(bucket, minlength=len(edges) + 1), len(column) - len(known))


def _psi(then: np.ndarray, now: np.ndarray) -> float:
    p, q = ((counts + PRIOR) / (counts.sum() + PRIOR * len(counts)) for counts in (then, now))
    return float(np.sum((p - q) * np.log(p / q)))


def sample(name: str, bundle: Path, data: Path) -> Columns | None:
    """Feature → values over the last days of `data`, as `bundle` would be asked; None where there is too little."""
    return importlib.import_module(f"{name}.drift").sample(bundle, data)


def has_drift(name: str) -> bool:
    return importlib.util.find_spec(f"{name}.drift") is not None


def check(bundles: Path, store_uri: str, data_version: str) -> dict[str, object]:
    """{dataVersion, models: {name: {feature: psi}}}; a model with too little data is left out."""
    models: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        progress(0.0, "pull the dataset")
        version = pull(store_uri, data_version, data)
        references = sorted(bundles.glob("*.json"))
        for index, file in enumerate(references):
            name = file.stem
            progress(0.3 + 0.7 * index / len(references), f"compare {name}")
            columns = sample(name, bundles / name, data)
            if columns is None:
                log(f"{name}: the last {DAYS} days are too little to compare")
                continue
            models[name] = psi(json.loads(file.read_text()), columns)
            worst = max(models[name], key=models[name].get, default=None)
            if worst is not None:
                log(f"{name}: the most has moved {worst}, PSI {models[name][worst]:.3f}")
    return {"dataVersion": version, "models": models}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--bundles", type=Path, required=True, help="folder of bundles and their references"
    )
    arguments.add_argument("--store-uri", required=True, help="where the clean datasets are")
    arguments.add_argument("--data-version", default="latest", help="data version, or latest")
    options = arguments.parse_args()
    result(check(options.bundles, options.store_uri, options.data_version))


if __name__ == "__main__":
    run_job(main)
