"""Drift: how far what a model gets and says has moved since it was trained, by the population stability index (PSI).

    python ml/common/drift.py --bundles DIR --store-uri URI [--data-version V]

The evaluate stage keeps a histogram of every feature and of the predictions over the last days of the training data
(`reference`). This job takes the last days of a newer dataset in the same way (`sample` of <model>/drift.py) and
compares them. DIR holds `<model>/`, the bundle, and `<model>.json`, its reference.

PSI = sum over buckets of (p - q) ln(p / q), p and q the buckets' shares then and now. A common reading: below 0.1
nothing has happened, above 0.2 something has. Chance alone moves it by about buckets (1/n + 1/m) for n and m independent
values. The rows of one user, or of one series, are not independent; so users and series are counted, and small shops
get fewer buckets.
"""

import argparse
import importlib
import importlib.util
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
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
MOST_BUCKETS = 10
# Users or series in a bucket, at training; half as many must be there later.
PER_BUCKET = 100
# Of these, counted to every bucket, so that an empty one gives no infinity.
PRIOR = 0.5


@dataclass(frozen=True)
class Sample:
    """What a model got and said: feature → values, one per row, and the predictions as PREDICTION."""

    columns: Mapping[str, np.ndarray]
    units: int
    """Users or series that the rows are of."""


class Histogram(TypedDict):
    """`shares`: of the values up to each edge, of those above the last, and of those that are no number."""

    edges: list[float]
    shares: list[float]
    units: int


def reference(then: Sample) -> dict[str, Histogram]:
    """Histograms with about as many values in each bucket; what has few values has a bucket for each.

    One bucket below the least value and one above the greatest are empty, and show later what was never seen before.
    """
    buckets = _buckets(then.units)
    histograms: dict[str, Histogram] = {}
    for name, column in then.columns.items():
        known = column[np.isfinite(column)].astype(np.float64)
        edges = np.empty(0)
        if len(known):
            inner = np.quantile(known, np.linspace(0, 1, buckets + 1), method="inverted_cdf")
            edges = np.unique([np.nextafter(inner[0], -np.inf), *inner])
        shares = _shares(column, edges).tolist()
        histograms[name] = {"edges": edges.tolist(), "shares": shares, "units": then.units}
    return histograms


def psi(then: Mapping[str, Histogram], now: Sample) -> dict[str, float] | None:
    """PSI of each feature that both have, finite and never negative; None when there is too little now."""
    if any(
        now.units < min(histogram["units"], _buckets(histogram["units"]) * PER_BUCKET) / 2
        for histogram in then.values()
    ):
        return None
    return {
        name: _psi(
            _smooth(np.array(then[name]["shares"]), then[name]["units"]),
            _smooth(_shares(now.columns[name], np.array(then[name]["edges"], np.float64)), now.units),
        )
        for name in then
        if name in now.columns
    }


def _buckets(units: int) -> int:
    return min(MOST_BUCKETS, max(2, units // PER_BUCKET))


def _shares(column: np.ndarray, edges: np.ndarray) -> np.ndarray:
    known = column[np.isfinite(column)].astype(np.float64)
    bucket = np.searchsorted(edges, known, side="left")
    counts = np.append(np.bincount(bucket, minlength=len(edges) + 1), len(column) - len(known))
    return counts / max(len(column), 1)


def _smooth(shares: np.ndarray, units: int) -> np.ndarray:
    return (shares * units + PRIOR) / (units + PRIOR * len(shares))


def _psi(p: np.ndarray, q: np.ndarray) -> float:
    return float(np.sum((p - q) * np.log(p / q)))


def sample(name: str, bundle: Path, data: Path) -> Sample | None:
    """The last days of `data`, as `bundle` would be asked about them; None where there is too little."""
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
            now = sample(name, bundles / name, data)
            moved = None if now is None else psi(json.loads(file.read_text()), now)
            if not moved:
                log(f"{name}: the last {DAYS} days are too little to compare")
                continue
            models[name] = moved
            worst = max(moved, key=moved.get)
            log(f"{name}: the most has moved {worst}, PSI {moved[worst]:.3f}")
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
