"""Golden files: what serving must reproduce. `python -m forecaster.golden`, from the folder ml/, writes golden/ anew.

bundle/          a small bundle, trained on a made-up shop
daily.json, weekly.json
                 the shop's panel (series with kind, id, category, first, units, price, promotion, inStock, oldest first;
                 null: unknown or not yet sold), and for some series × steps: features, scale, shares, units, lower, upper
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecaster import export, forecaster, panel
from forecaster.features import SPECS
from forecaster.model import Settings, examples
from forecaster.panel import Panel
from forecaster.train import Trained, train_granularity, write_bundle

FOLDER = Path(__file__).parent / "golden"
SETTINGS = replace(Settings(), rows=4_000, iterations=12, leaves=8, min_leaf=20)
STEPS = {"day": [1, 2, 7, 8, 28, 56], "week": [1, 2, 8, 9, 26]}
FILES = {"day": "daily.json", "week": "weekly.json"}


def shop(granularity: str) -> Panel:
    """Eight products of three categories, one below another: regular, seasonal, rare, new, sold out, promoted, unpriced."""
    rng = np.random.default_rng(11)
    periods = 420 if granularity == "day" else 80
    step = panel.STEP_DAYS[granularity]
    dates = pd.date_range("2025-01-06", periods=periods, freq=f"{step}D")
    tables = []
    for index, mean in enumerate([6.0, 20.0, 0.2, 3.0, 9.0, 1.5, 0.0, 40.0]):
        begin = {3: periods - 20, 5: periods - 90 if granularity == "day" else periods - 12}.get(index, 0)
        season = 1 + 0.4 * np.sin(np.arange(periods) * 2 * np.pi * step / 364)
        units = rng.poisson(mean * season).astype(float)
        in_stock = np.ones(periods, dtype=bool)
        if index == 4:
            in_stock[-10:-3] = False
            units[~in_stock] = 0
        price = np.full(periods, np.nan) if index == 2 else 1000.0 + 100 * index + np.arange(periods) % 50
        tables.append(
            pd.DataFrame(
                {
                    "date": dates,
                    "product_id": f"p{index}",
                    "units": units,
                    "price": price,
                    "promotion": np.arange(periods) % 31 < (4 if index == 1 else 0),
                    "in_stock": in_stock,
                }
            )[begin:]
        )
    category_of = {f"p{i}": ("blades", "katana", None)[i % 3] for i in range(8)}
    return panel.build(pd.concat(tables), granularity, category_of, {"katana": "blades", "blades": None})


def expected(granularity: str, sales: Panel, trained: Trained) -> dict[str, Any]:
    spec, steps = SPECS[granularity], STEPS[granularity]
    series = np.arange(len(sales.keys))
    rows = examples(
        spec,
        sales,
        np.repeat(series, len(steps)),
        np.full(len(series) * len(steps), sales.periods - 1),
        np.tile(steps, len(series)),
    )
    shares = export.trees(trained.onnx)(rows.features)
    units, lower, upper = forecaster.combine(spec, trained.calibration, sales, rows, shares)

    def numbers(values: np.ndarray) -> list[float | None]:
        return [None if np.isnan(value) else float(value) for value in values]

    return {
        "start": str(sales.start.date()),
        "series": [
            {
                "kind": kind,
                "id": key,
                "category": int(sales.category[row]),
                "first": int(sales.first[row]),
                "units": numbers(sales.units[row]),
                "price": numbers(sales.price[row]),
                "promotion": numbers(sales.promotion[row]),
                "inStock": numbers(sales.in_stock[row]),
            }
            for row, (kind, key) in enumerate(sales.keys)
        ],
        "rows": [
            {
                "series": int(rows.series[i]),
                "step": int(rows.step[i]),
                "scale": float(rows.scale[i]),
                "features": [float(value) for value in rows.features[i]],
                "shares": [float(value) for value in shares[i]],
                "units": float(units[i]),
                "lower": float(lower[i]),
                "upper": float(upper[i]),
            }
            for i in range(len(rows.series))
        ],
    }


def write(folder: Path) -> None:
    trained = {}
    for granularity, spec in SPECS.items():
        sales = shop(granularity)
        trained[granularity] = train_granularity(spec, sales, SETTINGS, seed=3)
        content = expected(granularity, sales, trained[granularity])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILES[granularity]).write_text(json.dumps(content) + "\n")
    write_bundle(folder / "bundle", trained)


if __name__ == "__main__":
    write(FOLDER)
