"""Train stage: data/ → out/forecaster/ with the bundle and the test forecasts, or skipped.json where there are no sales.

The last windows of a granularity are walked through: trees that learned from all before a window forecast it. Blend and
intervals are fitted on those forecasts but for the last window, the test window, which is then forecast with them: that is
what `evaluate.py` judges. What is shipped is made in the same way one window later: trees that learned from everything,
and a calibration that has seen the test window too.

The bundle:
    features.json           {version, outputs, members, granularities: {day?, week?: {model, spec, features, weights,
                            round, margins, bands, whole}}}
    day.onnx, week.onnx     input `features` float32 [rows, features], output `shares` float32 [rows, outputs]
"""

import itertools
import json
import shutil
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from common.probe import write_probe
from common.protocol import log, progress, run_job
from lightgbm import Booster

from forecaster import features, forecaster, model, panel
from forecaster.export import to_onnx
from forecaster.features import SPECS, Spec
from forecaster.forecaster import MEMBERS, Calibration, Forecast, Trees
from forecaster.model import OUTPUTS, Settings
from forecaster.panel import Panel

DATA = Path("data")
OUT = Path("out/forecaster")
# Fewer periods than this teach nothing: a season to look back on, and windows to judge by.
LEAST_PERIODS = {"day": 42, "week": 16}
# Windows before the test window that calibration looks at: one alone can be calmer than what comes next.
FOLDS = 3
CALIBRATION_ROWS = 10_000
PARITY_ROWS = 5_000


class Skipped(Exception):
    """Why there is no model; a sentence for a person."""


@dataclass(frozen=True)
class Window:
    """What was said about a window by trees and a calibration that had not seen it."""

    begin: int
    series: np.ndarray
    """Rows of the panel that `forecast` is about: series that had begun."""
    forecast: Forecast


@dataclass(frozen=True)
class Trained:
    """What is served, and how it would have done."""

    onnx: bytes
    calibration: Calibration
    windows: list[Window]
    """The rolling-origin backtest, oldest first; the last is the test window."""
    probe: tuple[np.ndarray, np.ndarray]
    """Feature rows and what the trees that are shipped say of them."""


def windows(spec: Spec, periods: int) -> list[int]:
    """First columns of the windows that are forecast from what was before them, the oldest first, and the end. The last
    is the test window; those before it are for calibration. Each is as long as the horizon, or a quarter of the data,
    and half of the data comes before the first."""
    length = max(1, min(spec.horizon, periods // 4))
    most = max(2, min(FOLDS + 1, (periods - periods // 2) // length))
    return [periods - count * length for count in range(most, -1, -1)]


def train_granularity(spec: Spec, whole: Panel, settings: Settings, seed: int) -> Trained:
    """@raises Skipped when there is too little to learn from"""
    cuts = windows(spec, whole.periods)
    rng = np.random.default_rng(seed)
    horizon = min(spec.max_horizon, max(1, whole.periods // 3))
    aggregates = np.setdiff1d(np.arange(len(whole.keys)), whole.products)

    def fitted(end: int, rows: int) -> tuple[list[Booster], model.Rows]:
        begin = max(0, end - round(settings.years * spec.year))
        learned = model.sample(spec, whole.until(end), begin, end, rows, horizon, rng, training=True)
        if learned is None:
            raise Skipped(f"The sales have too few {spec.granularity}s to learn from.")
        return model.fit(learned, settings, seed), learned

    def window(boosters: list[Booster], begin: int, end: int) -> list[tuple[model.Rows, Trees]]:
        """Rows of a window and of sums in it, with trees that learned from what was before it."""
        known = whole.until(end)
        drawn = [
            model.sample(spec, known, begin, end, CALIBRATION_ROWS, horizon, rng, False, among)
            for among in (whole.products, aggregates)
        ]
        return [(rows, partial(model.predict, boosters)) for rows in drawn if rows is not None]

    def judged(boosters: list[Booster], begin: int, end: int) -> Window:
        known = whole.until(begin)
        fitted = forecaster.calibration(spec, known, parts)
        series = np.flatnonzero(~np.isnan(known.units).all(axis=1))
        trees = partial(model.predict, boosters)
        return Window(
            begin,
            series,
            forecaster.forecast(spec, fitted, trees, known, series, begin - 1, end - begin),
        )

    # All that is judged comes first, so that not even the random numbers behind it depend on the test window.
    parts: list[tuple[model.Rows, Trees]] = []
    backtest = []
    for begin, end in itertools.pairwise(cuts):
        last = end == cuts[-1]
        boosters, _ = fitted(begin, settings.rows if last else settings.rows // 2)
        if parts:
            backtest.append(judged(boosters, begin, end))
        parts += window(boosters, begin, end)

    shipped, learned = fitted(whole.periods, settings.rows)
    calibration = forecaster.calibration(spec, whole, parts)
    rows = learned.features[:PARITY_ROWS]
    return Trained(to_onnx(shipped, rows), calibration, backtest, (rows, model.predict(shipped, rows)))


def describe(spec: Spec, calibration: Calibration) -> dict[str, Any]:
    """What serving needs beside the trees."""
    return {
        "model": f"{spec.granularity}.onnx",
        "spec": asdict(spec),
        "features": features.names(spec),
        "weights": calibration.weights,
        "round": calibration.round,
        "margins": asdict(calibration.margins),
        "bands": asdict(calibration.bands),
        "whole": calibration.whole,
    }


def write_bundle(folder: Path, trained: dict[str, Trained]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for granularity, result in trained.items():
        (folder / f"{granularity}.onnx").write_bytes(result.onnx)
    content = {
        "version": features.VERSION,
        "outputs": OUTPUTS,
        "members": MEMBERS,
        "granularities": {
            name: describe(SPECS[name], result.calibration) for name, result in trained.items()
        },
    }
    (folder / "features.json").write_text(json.dumps(content, indent=1) + "\n")


def train(data: Path, out: Path, settings: Settings, seed: int) -> None:
    """Writes `out`/bundle and the test forecasts. @raises Skipped"""
    manifest = json.loads((data / "manifest.json").read_text())
    if not manifest.get("hasSales"):
        raise Skipped("The dataset has no sales.")
    trained: dict[str, Trained] = {}
    wanted = [name for name in SPECS if name == "week" or manifest.get("granularity") == "day"]
    for index, granularity in enumerate(wanted):
        progress(index / len(wanted), f"train the {granularity} model")
        sales = panel.load(data, granularity)
        if sales is None or sales.periods < LEAST_PERIODS[granularity]:
            log(f"no {granularity} model: fewer than {LEAST_PERIODS[granularity]} {granularity}s of sales")
            continue
        result = train_granularity(SPECS[granularity], sales, settings, seed)
        log(
            f"{granularity}: weights {dict(zip(MEMBERS, result.calibration.weights['product'], strict=True))}"
        )
        trained[granularity] = result
        write_probe(out, f"{granularity}.onnx", *result.probe)
        for window in result.windows:
            np.savez_compressed(
                out / f"window_{granularity}_{window.begin:05}.npz",
                series=window.series,
                **vars(window.forecast),
            )
    if manifest.get("granularity") not in trained:
        raise Skipped("The sales cover too short a time to learn from.")
    write_bundle(out / "bundle", trained)


def read_settings(values: dict[str, Any] | None) -> Settings:
    """@raises ValueError on unknown names"""
    given = dict(values or {})
    unknown = sorted(set(given) - {item.name for item in fields(Settings)})
    if unknown:
        raise ValueError(f"unknown parameters in forecaster: {', '.join(unknown)}")
    return Settings(**given)


def main() -> None:
    parameters = yaml.safe_load(Path("params.yaml").read_text()) if Path("params.yaml").exists() else {}
    settings = read_settings(parameters.get("forecaster"))
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    try:
        if "forecaster" not in parameters.get("models", ["forecaster"]):
            raise Skipped("Not among the models to train.")
        train(DATA, OUT, settings, int(parameters.get("seed", 7)))
    except Skipped as reason:
        log(f"skipped: {reason}")
        shutil.rmtree(OUT / "bundle", ignore_errors=True)
        (OUT / "skipped.json").write_text(json.dumps({"reason": str(reason)}) + "\n")
    progress(1, "forecaster trained")


if __name__ == "__main__":
    run_job(main)
