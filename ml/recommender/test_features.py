import json
from dataclasses import replace

import numpy as np
import pytest

from recommender import golden
from recommender.bundle import read_tables
from recommender.data import SPLITS, Interactions
from recommender.features import FEATURES, rank_candidates
from recommender.ranker import fit, training_rows
from recommender.tables import build_tables

EXPECTED = golden.GOLDEN / "expected.json"


@pytest.fixture(scope="module")
def dataset():
    return golden.small_dataset()


def test_the_golden_files_are_what_the_code_computes_from_the_golden_bundle(dataset):
    expected = json.loads(EXPECTED.read_text())
    actual = golden.expected(golden.GOLDEN / "bundle", golden.histories(dataset), dataset.items.ids)
    assert len(actual) == len(expected)
    for now, then in zip(actual, expected, strict=True):
        # The last digits of a logarithm differ from one processor to another.
        assert [event | {"weight": pytest.approx(event["weight"])} for event in now["history"]] == then[
            "history"
        ]
        assert [row["productId"] for row in now["candidates"]] == [
            row["productId"] for row in then["candidates"]
        ]
        for row, kept in zip(now["candidates"], then["candidates"], strict=True):
            assert row["features"] == pytest.approx(kept["features"], abs=1e-5)
            assert row["score"] == pytest.approx(kept["score"], abs=1e-4)


def test_the_golden_bundle_has_the_tables_that_the_code_builds(dataset):
    kept = read_tables(golden.GOLDEN / "bundle")
    tables = build_tables(dataset, dataset.merged(*SPLITS), golden.SETTINGS)
    assert np.allclose(tables.item_features, kept.item_features, atol=1e-5)
    for name in ("knn", "ease", "bought", "tokens"):
        assert np.allclose(getattr(tables, name).toarray(), getattr(kept, name).toarray(), atol=1e-5), name
    assert np.allclose(tables.factors, kept.factors, atol=1e-4)
    assert np.allclose(tables.factor_gram, kept.factor_gram, atol=1e-4)


def test_nothing_seen_is_a_candidate_and_a_pair_comes_once(dataset):
    history = dataset.splits["train"]
    tables = build_tables(dataset, history, golden.SETTINGS)
    rows = rank_candidates(tables, history.limited(5), history, golden.SETTINGS)
    pairs = set(zip(rows.user.tolist(), rows.item.tolist(), strict=True))
    assert len(pairs) == len(rows.user)
    assert not pairs & set(zip(history.user.tolist(), history.item.tolist(), strict=True))
    assert rows.features.shape == (len(pairs), len(FEATURES))
    assert np.isfinite(rows.features).all()


def test_a_user_s_features_do_not_depend_on_who_else_is_in_the_block(dataset):
    history = dataset.splits["train"].limited(golden.SETTINGS.history_limit)
    tables = build_tables(dataset, history, golden.SETTINGS)
    together = rank_candidates(tables, history, history, golden.SETTINGS)
    for user in (0, 17):
        only = history.of_users(np.array([user]))
        alone = rank_candidates(tables, only, only, golden.SETTINGS)
        assert np.allclose(alone.features, together.features[together.user == user], atol=1e-6)


def test_features_do_not_know_what_happens_after_the_training_window(dataset):
    users = np.arange(len(dataset.users))
    features, labels, groups, _ = training_rows(dataset, golden.SETTINGS, users)
    # Another future: everybody does everything in the test window.
    everything = np.indices(dataset.splits["train"].shape).reshape(2, -1).astype(np.int32)
    ones = np.ones(everything.shape[1])
    future = Interactions(dataset.splits["train"].shape, *everything, ones, ones, ones, ones, 30_000 * ones)
    changed = type(dataset)(dataset.users, dataset.items, {**dataset.splits, "test": future})
    again, labels_again, groups_again, _ = training_rows(changed, golden.SETTINGS, users)
    assert np.array_equal(features, again)
    assert np.array_equal(labels, labels_again)
    assert np.array_equal(groups, groups_again)
    # With everything as the labels' window, each candidate is relevant, and has the features it had before.
    changed = type(dataset)(dataset.users, dataset.items, {**dataset.splits, "valid": future})
    again, labels_again, *_ = training_rows(changed, golden.SETTINGS, users)
    assert labels_again.all()
    kept = {row.tobytes() for row in again}
    assert all(row.tobytes() in kept for row in features)


def test_the_same_data_give_the_same_model(dataset):
    settings = replace(golden.SETTINGS, lightgbm=replace(golden.SETTINGS.lightgbm, min_data_in_leaf=10))
    features, labels, groups, _ = training_rows(dataset, settings, np.arange(len(dataset.users)))
    models = {fit(features, labels, groups, settings, seed=1)[0].trees.model_to_string() for _ in range(4)}
    assert len(models) == 1


def test_only_the_newest_items_of_a_long_history_are_looked_at(dataset):
    history = dataset.splits["train"]
    limited = history.limited(3)
    assert np.diff(limited.indptr).max() <= 3
    for user in np.flatnonzero(np.diff(history.indptr) > 3)[:20]:
        mine, kept = history.of_users(np.array([user])), limited.of_users(np.array([user]))
        days = np.nan_to_num(mine.day, nan=-np.inf)
        dropped = ~np.isin(mine.item, kept.item)
        assert days[dropped].max() <= days[~dropped].min()


def test_asking_for_a_matrix_without_its_zeros_leaves_the_interactions_as_they_are(dataset):
    history = dataset.splits["train"]
    item, indptr = history.item.copy(), history.indptr.copy()
    history.matrix(history.purchases)
    assert np.array_equal(history.item, item)
    assert np.array_equal(history.indptr, indptr)
