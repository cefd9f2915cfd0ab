"""Scores the recommender and its baselines on the test split: all items ranked, those already seen masked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from common.protocol import log

from recommender.bundle import Model, read_model
from recommender.data import Dataset, load_dataset, read_folder
from recommender.ease import MOST_ITEMS, Ease
from recommender.item_knn import ItemKnn
from recommender.metrics import Recommender, means, rank_users, relevant_unseen
from recommender.popularity import Popularity
from recommender.ranker import Ranker
from recommender.tables import build_tables
from recommender.tuning import tune_ease, tune_knn

Scores = dict[str, dict[str, float] | None]


class TruePreferences:
    """The generator's own preference of each sampled user for each product: nobody ranks better."""

    def __init__(self, dataset: Dataset, folder: Path) -> None:
        table = read_folder(folder, ["user_id", "product_id", "score"])
        user, item = _place(table["user_id"], dataset.users), _place(table["product_id"], dataset.items.ids)
        known = (user >= 0) & (item >= 0)
        self.users, row = np.unique(user[known], return_inverse=True)
        self._scores = np.full((len(self.users), len(dataset.items)), -np.inf, dtype=np.float32)
        self._scores[row, item[known]] = table["score"].to_numpy()[known]

    def scores(self, users: np.ndarray) -> np.ndarray:
        return self._scores[np.searchsorted(self.users, users)]


def _place(values: pa.ChunkedArray, names: list[str]) -> np.ndarray:
    """Each value's place among `names`, -1: not there."""
    place = pc.index_in(values.cast(pa.string()), pa.array(names, pa.string()))
    return pc.fill_null(place, -1).to_numpy().astype(np.int64)


# Users by the number of products in their history.
ACTIVITY = {"nothing yet": 0, "1 to 9 products": 1, "10 to 29": 10, "30 to 99": 30, "100 and more": 100}


def evaluate(data_dir: str | Path, bundle_or_out_dir: str | Path, seed: int = 7) -> dict[str, Any]:
    """{scores, segments} of a bundle on the test split of a dataset; see judge.

    Where the truth is known for a sample of users only, all models are evaluated on that sample.
    @raises ValueError when the bundle was made with another definition of the features.
    """
    data = Path(data_dir)
    dataset = load_dataset(data)
    known = data / "truth_preferences"
    truth = TruePreferences(dataset, known) if known.exists() else None
    return judge(dataset, read_model(Path(bundle_or_out_dir)), truth, seed)


def judge(dataset: Dataset, model: Model, truth: TruePreferences | None, seed: int) -> dict[str, Any]:
    """nDCG@10 and recall@10 of `ours`, `popularity`, `itemKnn`, `ease` and `ceiling` on the same users, all together and by
    activity.

    Everything is fitted on train and valid; the baselines' settings are tuned on valid as ours are. `ease` is
    None where the catalogue is too large for it, `ceiling` where the truth is unknown.
    """
    history, test = dataset.merged("train", "valid"), dataset.splits["test"]
    users = np.unique(test.user)
    if truth is not None:
        sample = np.intersect1d(users, truth.users)
        if len(sample) < len(users):
            log(f"true preferences are known of a sample: evaluating {len(sample)} of {len(users)} users")
        users = sample
    # Who has nothing left that is new counts for no model.
    users = users[relevant_unseen(history, test, users) > 0]

    def judged(recommender: Recommender) -> Mapping[str, np.ndarray]:
        return rank_users(recommender, history, test, users)[1]

    tables = build_tables(dataset, history, model.settings)
    has_ease = len(dataset.items) <= MOST_ITEMS
    quality = {
        "ours": judged(Ranker(model.onnx, tables, history, model.settings)),
        "popularity": judged(Popularity(history)),
        "itemKnn": judged(ItemKnn(history, tune_knn(dataset, seed))),
        "ease": judged(Ease(history, tune_ease(dataset, seed))) if has_ease else None,
        "ceiling": None if truth is None else judged(truth),
    }

    def among(chosen: np.ndarray) -> Scores:
        return {
            name: None if of_user is None else means({key: of_user[key][chosen] for key in of_user})
            for name, of_user in quality.items()
        }

    activity = np.digitize(np.diff(history.indptr)[users], list(ACTIVITY.values())) - 1
    segments = {
        f"{name} ({(activity == place).sum()} users)": among(activity == place)
        for place, name in enumerate(ACTIVITY)
        if (activity == place).any()
    }
    return {"scores": among(np.ones(len(users), dtype=bool)), "segments": {"activity": segments}}
