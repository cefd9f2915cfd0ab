"""The learned recommender: candidates of several sources, ranked by LightGBM as exported to ONNX."""

from collections.abc import Iterator

import lightgbm as lgb
import numpy as np

from recommender import export
from recommender.data import Dataset, Interactions
from recommender.features import FEATURES, Candidates, rank_candidates
from recommender.metrics import pair_keys
from recommender.settings import Settings
from recommender.tables import Tables, build_tables

# A block of users holds about ten dense float64 matrices users x items of this size together.
BLOCK_CELLS = 1_500_000
FOLDS = 3


class Ranker:
    """Scores a user's candidates by the model, everything else -inf."""

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
) -> tuple[lgb.Booster, dict[str, float]]:
    """Chooses the number of trees by cross-validation over users, then trains on all users with it.

    Returns the booster and what is worth logging.
    """
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
        "bagging_by_query": True,
        "lambda_l2": settings.lightgbm.lambda_l2,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }

    def data() -> lgb.Dataset:
        return lgb.Dataset(features, labels, group=groups, feature_name=list(FEATURES), free_raw_data=False)

    # One held-out part alone gives a number of trees that is mostly chance.
    trial = lgb.cv(
        params,
        data(),
        num_boost_round=settings.lightgbm.most_trees,
        folds=_folds(groups, seed),
        callbacks=[lgb.early_stopping(settings.lightgbm.patience, verbose=False)],
    )
    curve = trial["valid ndcg@10-mean"]
    booster = lgb.train(params, data(), num_boost_round=len(curve))
    return booster, {"trees": len(curve), "held_out_ndcg": float(curve[-1])}


def _folds(groups: np.ndarray, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows to train on and rows to judge by, for each part of the users; a user is in one part whole."""
    part_of_user = np.random.default_rng(seed).permutation(len(groups)) % FOLDS
    part = np.repeat(part_of_user, groups)
    for fold in range(FOLDS):
        yield np.flatnonzero(part != fold), np.flatnonzero(part == fold)
