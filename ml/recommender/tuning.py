"""Chooses the settings of the item-item models: fitted on train, judged by nDCG@10 on valid."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np

from recommender import als, ease, item_knn
from recommender.data import Dataset, Interactions
from recommender.exposure import exposure
from recommender.metrics import Recommender, evaluate_ranking

# More users who are judged do not change which setting is best.
MOST_USERS = 3_000
MOST_SCORES = 30_000_000
# Interactions learned from while it is tuned, of a sample of users; EASE takes as long with few as with all.
KNN_ROWS = 1_000_000
ALS_ROWS = 250_000

P = TypeVar("P")


def tune_knn(dataset: Dataset, seed: int) -> item_knn.KnnParams:
    return _search(dataset, seed, item_knn.KnnParams(), item_knn.grids(), item_knn.ItemKnn, KNN_ROWS)


def tune_ease(dataset: Dataset, seed: int) -> ease.EaseParams:
    return _search(dataset, seed, ease.EaseParams(), ease.grids(len(dataset.items)), ease.Ease)


def tune_als(dataset: Dataset, seed: int) -> als.AlsParams:
    shown = exposure(dataset.items, dataset.splits["train"])

    def build(train: Interactions, params: als.AlsParams) -> als.Als:
        return als.Als(train, shown, params)

    return _search(dataset, seed, als.AlsParams(), als.grids(len(dataset.items)), build, ALS_ROWS)


def _search(
    dataset: Dataset,
    seed: int,
    start: P,
    grids: Iterable[Callable[[P], list[P]]],
    build: Callable[[Interactions, P], Recommender],
    most_rows: int | None = None,
) -> P:
    """Coordinate search: every grid is laid around the best settings so far; the first of equals wins."""
    train, valid = dataset.splits["train"], dataset.splits["valid"]
    if most_rows is not None and len(train) > most_rows:
        share = most_rows / len(train)
        some = np.flatnonzero(np.random.default_rng(seed).random(train.shape[0]) < share)
        train, valid = train.of_users(some), valid.of_users(some)
    users = np.unique(valid.user)
    most = min(MOST_USERS, MOST_SCORES // max(train.shape[1], 1))
    if len(users) > most:
        users = np.random.default_rng(seed).choice(users, most, replace=False)
    best, best_score = start, -1.0
    for grid in grids:
        for params in grid(best):
            score = evaluate_ranking(build(train, params), train, valid, users)["ndcg@10"]
            if score > best_score:
                best, best_score = params, score
    return best
