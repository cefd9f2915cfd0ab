"""The gradient-boosted members of one granularity: a mean, a median and the two ends of the interval."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

import lightgbm as lgb
import numpy as np

from forecaster import features, metrics
from forecaster.features import Spec
from forecaster.panel import Panel

OUTPUTS = ("mean", "median", "lower", "upper")
"""Columns of a prediction, in this order, each as a share of the row's scale."""


@dataclass(frozen=True)
class Settings:
    """`forecaster:` of params.yaml."""

    rows: int = 40_000
    """Training rows per model, sampled from all (series, origin, step); more is slower and little better."""
    iterations: int = 150
    learning_rate: float = 0.04
    leaves: int = 12
    min_leaf: int = 200
    l2: float = 1.0
    sampling: float = 0.6
    """Share of the rows and of the features that a tree sees."""
    years: float = 2.0
    """Targets older than this are not learned from."""


@dataclass(frozen=True)
class Rows:
    """Examples: features float32 [rows, features], and per row its scale, units and weight."""

    series: np.ndarray
    origin: np.ndarray
    step: np.ndarray
    features: np.ndarray
    scale: np.ndarray
    units: np.ndarray
    weight: np.ndarray


def sample(
    spec: Spec,
    panel: Panel,
    begin: int,
    end: int,
    rows: int,
    horizon: int,
    rng: np.random.Generator,
    training: bool,
    among: np.ndarray | None = None,
) -> Rows | None:
    """Up to `rows` examples whose target lies in columns begin..end-1, or None when there is none.

    Steps up to the default horizon are drawn four times in five, longer ones (up to `horizon`) else; an origin has at
    least one season (four weeks) behind it. For training (`training`), targets out of stock are left out, as they show
    no demand, and examples are drawn in proportion to their weight, which costs far less than fitting with weights.
    `among`: the series that are drawn from; all when not given.
    """
    first = panel.first
    wait = max(spec.season, 4)
    # Aggregates are few, so they are drawn more often than their number: one row in ten is theirs.
    is_product = np.array([kind == "product" for kind, _ in panel.keys])
    chance = np.where(is_product, 0.9 / max(is_product.sum(), 1), 0.1 / max((~is_product).sum(), 1))
    chance = np.where(np.isnan(panel.units[:, :end]).all(axis=1), 0.0, chance)
    if among is not None:
        chance = np.where(np.isin(np.arange(len(chance)), among), chance, 0.0)
    # Series that begin late give fewer rows.
    chance = chance * np.clip(end - np.maximum(first + wait, begin), 0, None)
    if end <= begin or chance.sum() <= 0:
        return None
    drawn = rows * (3 if training else 2)
    series = rng.choice(len(panel.keys), size=drawn, p=chance / chance.sum())
    low = np.maximum(first[series] + wait, begin)
    target = low + (rng.random(drawn) * (end - low)).astype(int)
    near = rng.integers(1, min(spec.horizon, horizon) + 1, size=drawn)
    far = rng.integers(1, horizon + 1, size=drawn)
    step = np.where(rng.random(drawn) < 0.8, near, far)
    origin = target - step
    keep = (origin >= first[series] + wait - 1) & ~np.isnan(panel.units[series, target])
    if training:
        keep &= panel.in_stock[series, target] > 0
    chosen = np.unique(np.stack([series, origin, step])[:, keep], axis=1)
    if chosen.shape[1] == 0:
        return None
    if chosen.shape[1] > rows:
        p = None
        if training:
            p = weights(panel, chosen[0], features.level_at(spec, panel, chosen[0], chosen[1]))
            p = p / p.sum()
        chosen = chosen[:, np.sort(rng.choice(chosen.shape[1], size=rows, replace=False, p=p))]
    return examples(spec, panel, *chosen)


def examples(spec: Spec, panel: Panel, series: np.ndarray, origin: np.ndarray, step: np.ndarray) -> Rows:
    """Features, scale and units of given rows; units are NaN for targets past the panel."""
    built, scale = features.build(spec, panel, series, origin, step)
    target = origin + step
    units = np.where(
        target < panel.periods, panel.units[series, np.minimum(target, panel.periods - 1)], np.nan
    )
    return Rows(series, origin, step, built, scale, units, weights(panel, series, scale))


def joined(parts: list[Rows]) -> Rows:
    return Rows(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Rows)})


def weights(panel: Panel, series: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Level over the series' naive error, so that an error costs what it costs in MASE; within 0.1..10 of the median."""
    scale = metrics.naive_scale(panel.units, metrics.SEASON[panel.granularity])[series]
    weight = level / np.where(np.isnan(scale), np.maximum(level, 1e-9), scale)
    middle = np.median(weight)
    return np.clip(weight / (middle if middle > 0 else 1.0), 0.1, 10.0)


def fit(rows: Rows, settings: Settings, seed: int) -> list[lgb.Booster]:
    """One booster per OUTPUTS, of units as a share of the scale."""
    share = rows.units / rows.scale
    objectives = (
        # Poisson needs a positive total; a shop that never sold is forecast as zero by any other objective.
        {"objective": "poisson" if share.sum() > 0 else "l2"},
        {"objective": "l1"},
        {"objective": "quantile", "alpha": 0.1},
        {"objective": "quantile", "alpha": 0.9},
    )
    fixed = {
        "num_leaves": settings.leaves,
        "learning_rate": settings.learning_rate,
        "min_data_in_leaf": max(1, min(settings.min_leaf, len(share) // 20)),
        "lambda_l2": settings.l2,
        "feature_fraction": settings.sampling,
        "bagging_fraction": settings.sampling,
        "bagging_freq": 1,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        # Two boosters at once with a thread each: a team of threads spins at every barrier, which is slow where
        # another process holds a core.
        "num_threads": 1,
        "verbose": -1,
    }

    def fit_one(objective: dict[str, str | float]) -> lgb.Booster:
        return lgb.train({**fixed, **objective}, lgb.Dataset(rows.features, share), settings.iterations)

    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(fit_one, objectives))


def predict(models: list[lgb.Booster], built: np.ndarray) -> np.ndarray:
    """Shares of the scale, float64 [rows, len(OUTPUTS)]."""
    return np.column_stack([model.predict(built, num_threads=1) for model in models])
