"""The gradient-boosted members of one granularity: a mean, a median and the two ends of the interval."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from forecaster import features, metrics
from forecaster.features import Spec
from forecaster.panel import Panel

OUTPUTS = ("mean", "median", "lower", "upper")
"""Columns of a prediction, in this order, each as a share of the series' level."""


@dataclass(frozen=True)
class Settings:
    """`forecaster:` of params.yaml."""

    rows: int = 60_000
    """Training rows per model, sampled from all (series, origin, step); more is slower and little better."""
    iterations: int = 120
    learning_rate: float = 0.07
    leaves: int = 24
    min_leaf: int = 40
    l2: float = 1.0
    years: float = 2.0
    """Targets older than this are not learned from."""


@dataclass(frozen=True)
class Rows:
    """Examples: features float32 [rows, features], and per row its level, units and weight."""

    series: np.ndarray
    origin: np.ndarray
    step: np.ndarray
    features: np.ndarray
    level: np.ndarray
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
) -> Rows | None:
    """Up to `rows` examples whose target lies in columns begin..end-1, or None when there is none.

    Steps up to the default horizon are drawn four times in five, longer ones (up to `horizon`) else; an origin has at
    least one season (four weeks) behind it. For training (`training`), targets out of stock are left out, as they show
    no demand, and examples are drawn in proportion to their weight, which costs far less than fitting with weights.
    """
    first = panel.first
    wait = max(spec.season, 4)
    # Aggregates are few, so they are drawn more often than their number: one row in ten is theirs.
    is_product = np.array([kind == "product" for kind, _ in panel.keys])
    chance = np.where(is_product, 0.9 / max(is_product.sum(), 1), 0.1 / max((~is_product).sum(), 1))
    chance = np.where(np.isnan(panel.units[:, :end]).all(axis=1), 0.0, chance)
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
    """Features, level and units of given rows; units are NaN for targets past the panel."""
    built, level = features.build(spec, panel, series, origin, step)
    target = origin + step
    units = np.where(
        target < panel.periods, panel.units[series, np.minimum(target, panel.periods - 1)], np.nan
    )
    return Rows(series, origin, step, built, level, units, weights(panel, series, level))


def weights(panel: Panel, series: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Level over the series' naive error, so that an error costs what it costs in MASE; within 0.1..10 of the median."""
    scale = metrics.naive_scale(panel.units, metrics.SEASON[panel.granularity])[series]
    weight = level / np.where(np.isnan(scale), np.maximum(level, 1e-9), scale)
    middle = np.median(weight)
    return np.clip(weight / (middle if middle > 0 else 1.0), 0.1, 10.0)


def fit(rows: Rows, settings: Settings, seed: int) -> list[HistGradientBoostingRegressor]:
    """One regressor per OUTPUTS, of units as a share of the level."""
    share = rows.units / rows.level
    losses = (
        # Poisson needs a positive total; a shop that never sold is forecast as zero by any other loss.
        {"loss": "poisson" if share.sum() > 0 else "squared_error"},
        {"loss": "absolute_error"},
        {"loss": "quantile", "quantile": 0.1},
        {"loss": "quantile", "quantile": 0.9},
    )

    def fit_one(loss: dict[str, str | float]) -> HistGradientBoostingRegressor:
        model = HistGradientBoostingRegressor(
            **loss,
            max_iter=settings.iterations,
            learning_rate=settings.learning_rate,
            max_leaf_nodes=settings.leaves,
            min_samples_leaf=max(1, min(settings.min_leaf, len(share) // 20)),
            l2_regularization=settings.l2,
            early_stopping=False,
            random_state=seed,
        )
        # One OpenMP thread per model and two models at once: a team of threads spins at every barrier, and where
        # another process holds one of two cores that made a fit twenty times slower.
        with threadpool_limits(1, user_api="openmp"):
            return floor_thresholds(model.fit(rows.features, share))

    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(fit_one, losses))


def floor_thresholds(model: HistGradientBoostingRegressor) -> HistGradientBoostingRegressor:
    """Replaces every split threshold by the largest float32 not above it.

    ONNX stores thresholds as float32. Rounding to the nearest can lift one onto the next feature value and move rows
    to the other side; rounding down cannot, and changes no prediction for float32 features.
    """
    for trees in model._predictors:
        for tree in trees:
            exact = tree.nodes["num_threshold"]
            with np.errstate(over="ignore"):
                rounded = exact.astype(np.float32)
            down = np.where(rounded > exact, np.nextafter(rounded, np.float32(-np.inf)), rounded)
            tree.nodes["num_threshold"] = down.astype(np.float64)
    return model


def predict(models: list[HistGradientBoostingRegressor], built: np.ndarray) -> np.ndarray:
    """Shares of the level, float64 [rows, len(OUTPUTS)]."""
    with threadpool_limits(1, user_api="openmp"):
        return np.column_stack([model.predict(built) for model in models])
