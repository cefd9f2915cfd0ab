"""What the ranker is asked about the users of the last days, and what it says; see common/drift.py."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from common.drift import DAYS, PREDICTION, Sample

from recommender import export
from recommender.bundle import read_model, read_tables
from recommender.data import SPLITS, Interactions, load_dataset
from recommender.features import FEATURES
from recommender.ranker import candidate_blocks

MOST_USERS = 1_000
# With fewer, nothing can be told from chance: other users are active in other weeks.
LEAST_USERS = 200


def sample(bundle: Path, data: Path, seed: int = 7) -> Sample | None:
    """Features and scores of the candidates of users who did something in the last DAYS; None for too few users.

    The tables are the bundle's, the histories are those of `data`: it is what serving would compute.
    """
    model, tables = read_model(bundle), read_tables(bundle)
    ids = json.loads((bundle / "items.json").read_text())["ids"]
    dataset = load_dataset(data)
    seen = _known(dataset.merged(*SPLITS), dataset.items.ids, ids)
    users = _recent_users(seen)
    if len(users) < LEAST_USERS:
        return None
    if len(users) > MOST_USERS:
        users = np.sort(np.random.default_rng(seed).choice(users, MOST_USERS, replace=False))
    history = seen.limited(model.settings.history_limit)
    blocks = candidate_blocks(tables, history, seen, users, model.settings)
    rows = np.concatenate([candidates.features for _, candidates in blocks])
    if len(rows) == 0:
        return None
    scores = export.session(model.onnx).run(None, {"features": rows})[0].ravel()
    return Sample(dict(zip(FEATURES, rows.T, strict=True)) | {PREDICTION: scores}, len(users))


def _known(interactions: Interactions, ids: list[str], known: list[str]) -> Interactions:
    """The interactions with items that the model knows, by its numbers. Both lists are sorted, so rows stay in order."""
    number = {name: place for place, name in enumerate(known)}
    item = np.array([number.get(name, -1) for name in ids], dtype=np.int32)[interactions.item]
    rows = np.flatnonzero(item >= 0)
    return replace(interactions.take(rows), shape=(interactions.shape[0], len(known)), item=item[rows])


def _recent_users(interactions: Interactions) -> np.ndarray:
    """Ascending. Without times, all that did anything."""
    day = interactions.day
    if not np.isfinite(day).any():
        return np.unique(interactions.user)
    return np.unique(interactions.user[day > np.nanmax(day) - DAYS])
