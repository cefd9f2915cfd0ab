"""The learned recommender: candidates of several sources, ranked by LightGBM as exported to ONNX."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from recommender import export
from recommender.data import Dataset, Interactions
from recommender.features import FEATURES, Candidates, rank_candidates
from recommender.metrics import pair_keys
from recommender.settings import Settings
from recommender.tables import Tables, build_tables, recent_popularity

# A block of users holds about ten dense float64 matrices users x items of this size together.
BLOCK_CELLS = 1_500_000
FOLDS = 3
# What a list begins from, before any tree; each 0 to 1 for a user's best item.
BASE = ("als_relative", "ease_relative", "knn_relative")
# So that the best item stands well above the rest for the trees, which work on differences of scores.
BASE_SCALE = 2.5
# About the standard deviation of the difference that a few more trees make to a user's nDCG@10.
CHANCE = 0.05


@dataclass(frozen=True)
class Ranking:
    """The trained model: a row's score is that of the trees plus the row times `base`."""

    trees: lgb.Booster
    base: np.ndarray
    """a weight for each feature, float32"""

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self.trees.predict(rows) + rows @ self.base


class Ranker:
    """Scores a user's candidates by the model, everything else -inf; to whom nothing is known of, what is popular lately, as
    serving does."""

    def __init__(self, model: bytes, tables: Tables, history: Interactions, settings: Settings) -> None:
        self.session = export.session(model)
        self.tables, self.settings = tables, settings
        self.seen = history
        self.history = history.limited(settings.history_limit)

    def scores(self, users: np.ndarray) -> np.ndarray:
        scores = np.full((len(users), self.seen.shape[1]), -np.inf)
        start = 0
        for block, rows in candidate_blocks(self.tables, self.history, self.seen, users, self.settings):
            if len(rows.user):
                values = self.session.run(None, {"features": rows.features})[0].ravel()
                scores[start + rows.user, rows.item] = values
            start += len(block)
        scores[np.diff(self.seen.indptr)[users] == 0] = recent_popularity(self.tables)
        return scores


def candidate_blocks(
    tables: Tables, history: Interactions, seen: Interactions, users: np.ndarray, settings: Settings
) -> Iterator[tuple[np.ndarray, Candidates]]:
    """Candidates of `users` (ascending), some users at a time; users are numbered within their block."""
    size = max(1, BLOCK_CELLS // max(history.shape[1], 1))
    for start in range(0, len(users), size):
        block = users[start : start + size]
        yield block, rank_candidates(tables, history.of_users(block), seen.of_users(block), settings)


def training_rows(
    dataset: Dataset, settings: Settings, users: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Tables]:
    """Features (rows x features), labels 0/1 and rows per user, and the tables that the features are of.

    All from train alone; valid gives the labels.

    Users without a relevant candidate teach a ranker nothing and are left out.
    """
    train, valid = dataset.splits["train"], dataset.splits["valid"]
    tables = build_tables(dataset, train, settings)
    history = train.limited(settings.history_limit)
    relevant = pair_keys(valid)
    features, labels, groups = [], [], []
    for block, rows in candidate_blocks(tables, history, train, users, settings):
        label = np.isin(block[rows.user].astype(np.int64) * train.shape[1] + rows.item, relevant)
        positives = np.bincount(rows.user, weights=label, minlength=len(block))
        kept = positives[rows.user] > 0
        features.append(rows.features[kept])
        labels.append(label[kept])
        groups.append(np.bincount(rows.user[kept], minlength=len(block))[positives > 0])
    width = len(FEATURES)
    return (
        np.concatenate([np.empty((0, width), np.float32), *features]),
        np.concatenate([np.empty(0, bool), *labels]).astype(np.int8),
        np.concatenate([np.empty(0, np.int64), *groups]),
        tables,
    )


def fit(
    features: np.ndarray, labels: np.ndarray, groups: np.ndarray, settings: Settings, seed: int
) -> tuple[Ranking, dict[str, float]]:
    """Chooses the number of trees by cross-validation over users, then trains on all users with it.

    The trees correct the best mix of the sources, so that few users, who cannot teach them, leave that mix.
    Returns the model and what is worth logging.
    """
    base = _base(features, labels, groups)
    params = {
        "objective": "lambdarank",
        "metric": "ndcg",
        "eval_at": [10],
        "lambdarank_truncation_level": 30,
        "num_leaves": settings.lightgbm.num_leaves,
        "learning_rate": settings.lightgbm.learning_rate,
        "min_data_in_leaf": settings.lightgbm.min_data_in_leaf,
        "feature_fraction": settings.lightgbm.feature_fraction,
        "bagging_fraction": settings.lightgbm.bagging_fraction,
        "bagging_freq": 1,
        # By rows: by query, threads race, and the same data give another model each time.
        "lambda_l2": settings.lightgbm.lambda_l2,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }

    def data() -> lgb.Dataset:
        return lgb.Dataset(
            features,
            labels,
            group=groups,
            init_score=features @ base,
            feature_name=list(FEATURES),
            free_raw_data=False,
        )

    # One held-out part alone gives a number of trees that is mostly chance.
    trial = lgb.cv(
        params,
        data(),
        num_boost_round=settings.lightgbm.most_trees,
        folds=_folds(groups, seed),
        callbacks=[lgb.early_stopping(settings.lightgbm.patience, verbose=False)],
    )
    curve = np.array(trial["valid ndcg@10-mean"])
    # The fewest that are as good as the best but for chance, which is large where users are few.
    enough = curve.max() - CHANCE / np.sqrt(len(groups))
    trees = int(np.flatnonzero(curve >= enough)[0]) + 1
    booster = lgb.train(params, data(), num_boost_round=trees)
    chosen = {name: float(base[place]) for place, name in enumerate(FEATURES) if base[place]}
    return Ranking(booster, base), {"trees": trees, "held_out_ndcg": float(curve[trees - 1]), "base": chosen}


def _base(features: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Weight of each feature in the mix of BASE that ranks the users' candidates best."""
    columns = [list(FEATURES).index(name) for name in BASE]
    user = np.repeat(np.arange(len(groups)), groups)
    starts = np.concatenate(([0], np.cumsum(groups)[:-1]))
    place = np.arange(len(labels)) - np.repeat(starts, groups)
    discount = np.where(place < 10, 1 / np.log2(place + 2), 0)
    best = np.bincount(user, weights=discount * labels[np.lexsort((-labels, user))], minlength=len(groups))

    def quality(mix: tuple[float, ...]) -> float:
        order = np.lexsort((-(features[:, columns] @ np.array(mix)), user))
        gained = np.bincount(user, weights=discount * labels[order], minlength=len(groups))
        return float((gained / best).mean())

    mixes = [mix for mix in itertools.product((0.0, 0.5, 1.0), repeat=len(BASE)) if max(mix) == 1.0]
    weights = np.zeros(features.shape[1], dtype=np.float32)
    weights[columns] = BASE_SCALE * np.array(max(mixes, key=quality), dtype=np.float32)
    return weights


def _folds(groups: np.ndarray, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows to train on and rows to judge by, for each part of the users; a user is in one part whole."""
    part_of_user = np.random.default_rng(seed).permutation(len(groups)) % FOLDS
    part = np.repeat(part_of_user, groups)
    for fold in range(FOLDS):
        yield np.flatnonzero(part != fold), np.flatnonzero(part == fold)
