"""What the trees are asked about the last days of sales, and what they say; see common/drift.py."""

import json
import re
from pathlib import Path

import numpy as np
from common.drift import DAYS, PREDICTION, Sample

from forecaster import features, model, panel
from forecaster.export import trees
from forecaster.features import SPECS

ROWS = 5_000
# Fewer than users elsewhere: the series are the same ones every time.
LEAST_SERIES = 30
# The age grows by a day a day whatever happens: it would warn of every model that is a month old. What all series of a
# shop or category share is one series' value, of which four weeks are chance and season.
LEFT_OUT = re.compile(r"age|pace|(shop|category)_.*")


def sample(bundle: Path, data: Path, seed: int = 7) -> Sample | None:
    """Features and mean forecasts, as shares of the level, of targets in the last DAYS, at the dataset's granularity.

    None without sales, for too few series, and where the model has not learned that granularity.
    """
    granularity = json.loads((data / "manifest.json").read_text()).get("granularity")
    part = json.loads((bundle / "features.json").read_text())["granularities"].get(granularity)
    sales = None if part is None else panel.load(data, granularity)
    if sales is None:
        return None
    spec = SPECS[granularity]
    names = features.names(spec)
    if part["features"] != names:
        return None
    periods = max(1, DAYS // panel.STEP_DAYS[granularity])
    begin = max(0, sales.periods - periods)
    rng = np.random.default_rng(seed)
    rows = model.sample(spec, sales, begin, sales.periods, ROWS, min(spec.horizon, periods), rng, False)
    series = 0 if rows is None else len(np.unique(rows.series))
    if rows is None or series < LEAST_SERIES:
        return None
    shares = trees((bundle / part["model"]).read_bytes())(rows.features)
    columns = dict(zip(names, rows.features.T, strict=True)) | {PREDICTION: shares[:, 0]}
    return Sample({name: column for name, column in columns.items() if not LEFT_OUT.fullmatch(name)}, series)
