"""Golden files: a tiny bundle, histories, and the candidates, features and scores both languages must get.

`python -m recommender.golden` writes golden/ anew; do so when the definition of the features changes.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from recommender import export
from recommender.als import AlsParams
from recommender.bundle import read_model, read_tables, write_bundle
from recommender.data import SPLITS, Dataset, Interactions, Items
from recommender.ease import EaseParams
from recommender.features import rank_candidates
from recommender.item_knn import KnnParams
from recommender.ranker import fit, training_rows
from recommender.settings import CandidateCounts, Settings
from recommender.tables import build_tables

GOLDEN = Path(__file__).parent / "golden"
FIRST_DAY = 20_000.0

SETTINGS = Settings(
    history_limit=12,
    recent_items=3,
    half_life_days=10.0,
    ease_neighbours=20,
    candidates=CandidateCounts(als=8, ease=10, knn=8, popular=5, content=5),
    knn=KnnParams(neighbours=8, shrinkage=2.0),
    ease=EaseParams(20.0),
    als=AlsParams(4, 0.1),
)


def small_dataset(users: int = 120, items: int = 48, seed: int = 3) -> Dataset:
    """Users with a taste for one of four categories; some prices, dates and categories are unknown."""
    rng = np.random.default_rng(seed)
    category = np.where(rng.random(items) < 0.1, -1, rng.integers(0, 4, items)).astype(np.int32)
    taste = rng.integers(0, 4, users)
    popularity = rng.gamma(1.0, 1.0, items)
    known = np.where(rng.random(items) < 0.15, np.nan, 1.0)
    catalogue = Items(
        ids=[f"p{number:02}" for number in range(items)],
        categories=[f"c{number}" for number in range(4)],
        category=category,
        log_price=np.log(rng.uniform(5, 500, items)) * known,
        created_day=(FIRST_DAY - rng.uniform(0, 300, items)) * known,
        tokens=sp.csr_matrix((rng.random((items, 12)) < 0.25).astype(float)),
    )
    liked = popularity * np.where(category[None, :] == taste[:, None], 6.0, 1.0)
    splits = {}
    for place, name in enumerate(SPLITS):
        rate = liked / liked.sum(axis=1, keepdims=True) * (9, 6, 4)[place]
        counts = rng.poisson(rate)
        user, item = np.nonzero(counts)
        views = counts[user, item].astype(np.float64)
        carts = rng.binomial(counts[user, item], 0.3).astype(np.float64)
        purchases = rng.binomial(carts.astype(int), 0.6).astype(np.float64)
        day = FIRST_DAY + 30 * place + rng.uniform(0, 30, len(user)).round(3)
        splits[name] = Interactions(
            (users, items),
            user.astype(np.int32),
            item.astype(np.int32),
            views,
            carts,
            purchases,
            np.log1p(views + 3 * carts + 8 * purchases),
            np.where(rng.random(len(user)) < 0.1, np.nan, day),
        )
    return Dataset([f"u{number:03}" for number in range(users)], catalogue, splits)


def histories(dataset: Dataset) -> Interactions:
    """Whole histories of a few users; one has none, one a single item, and one is longer than the limit."""
    everything = dataset.merged(*SPLITS)
    length = np.diff(everything.indptr)
    longest = int(np.argmax(length))
    chosen = np.unique([longest, *range(6)])
    rows = everything.of_users(chosen)
    keep = (rows.user > 1) | ((rows.user == 1) & (np.arange(len(rows)) == rows.indptr[1]))
    return rows.take(keep)


def expected(bundle: Path, history: Interactions, ids: list[str]) -> list[dict]:
    """What serving must get for each user of `history`."""
    model, tables = read_model(bundle), read_tables(bundle)
    limited = history.limited(model.settings.history_limit)
    rows = rank_candidates(tables, limited, history, model.settings)
    scores = export.score(model.onnx, rows.features)
    users = []
    for user in range(history.shape[0]):
        own = slice(*history.indptr[user : user + 2])
        mine = np.flatnonzero(rows.user == user)
        users.append(
            {
                "history": [
                    {
                        "productId": ids[history.item[row]],
                        "views": int(history.views[row]),
                        "carts": int(history.carts[row]),
                        "purchases": int(history.purchases[row]),
                        "weight": float(history.weight[row]),
                        "day": None if np.isnan(history.day[row]) else float(history.day[row]),
                    }
                    for row in range(own.start, own.stop)
                ],
                "candidates": [
                    {
                        "productId": ids[rows.item[row]],
                        "features": [float(f"{value:.9g}") for value in rows.features[row]],
                        "score": float(f"{scores[row]:.9g}"),
                    }
                    for row in mine
                ],
            }
        )
    return users


def write(folder: Path) -> None:
    dataset = small_dataset()
    settings = replace(SETTINGS, lightgbm=replace(SETTINGS.lightgbm, most_trees=12, min_data_in_leaf=10))
    features, labels, groups, _ = training_rows(dataset, settings, np.arange(len(dataset.users)))
    ranking, _ = fit(features, labels, groups, settings, seed=1)
    tables = build_tables(dataset, dataset.merged(*SPLITS), settings)
    bundle = folder / "bundle"
    write_bundle(
        bundle, export.to_onnx(ranking.trees, ranking.base, features), tables, dataset.items, settings
    )
    users = expected(bundle, histories(dataset), dataset.items.ids)
    (folder / "expected.json").write_text(json.dumps(users, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    write(GOLDEN)
