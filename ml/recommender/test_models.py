import numpy as np
import pytest
import scipy.sparse as sp

from recommender import als, ease, item_knn
from recommender.data import Interactions, Items
from recommender.exposure import LEAST, exposure
from recommender.sparse import top_per_column


def history(matrix: list[list[float]]) -> Interactions:
    values = sp.csr_matrix(np.array(matrix))
    user, item = values.nonzero()
    ones = np.ones(len(user))
    columns = (user.astype(np.int32), item.astype(np.int32), ones, ones, ones)
    return Interactions(values.shape, *columns, values.data, np.full(len(user), np.nan))


LIKES = [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 1]]


def test_ease_minimises_the_regularised_error_under_a_zero_diagonal():
    values, penalty = np.array(LIKES, dtype=float), 0.5
    weights = ease.weights(history(LIKES), ease.EaseParams(penalty, weighted=False))
    assert np.diag(weights).tolist() == [0, 0, 0, 0]
    # Off the diagonal the gradient of |X - XB|² + λ|B|² is zero.
    gradient = values.T @ (values @ weights - values) + penalty * weights
    np.fill_diagonal(gradient, 0)
    assert np.abs(gradient).max() < 1e-9


def test_als_gives_a_user_the_vector_that_minimises_the_loss_over_the_history():
    params, shown = als.AlsParams(2, 0.1, 0.3), np.array([1.0, 1.0, 0.5, 1.0])
    rows = history(LIKES)
    factors = als.item_factors(rows, shown, params)
    values = rows.matrix()
    user = als.user_factors(values, factors, als.gram(factors, shown, params), params)[1]

    def loss(vector: np.ndarray) -> float:
        liked, score = values[1].toarray()[0], factors @ vector
        ridge = 0.1 * (liked.sum() + 0.3 * shown.sum()) * vector @ vector
        return liked @ (1 - score) ** 2 + 0.3 * shown @ score**2 + ridge

    steps = 1e-4 * np.vstack([np.eye(2), -np.eye(2)])
    assert all(loss(user + step) > loss(user) for step in steps)


def test_als_does_not_hold_against_an_item_that_it_came_late():
    rows = history([[1, 1, 0], [1, 1, 0], [1, 0, 1], [0, 1, 0]])
    always, late = np.ones(3), np.array([1.0, 1.0, 0.25])
    params = als.AlsParams(2, 0.1, 0.3)
    score = {
        name: als.Als(rows, shown, params).scores(np.array([0]))[0, 2]
        for name, shown in (("always", always), ("late", late))
    }
    assert score["late"] > score["always"]


def test_exposure_is_the_share_of_interactions_since_an_item_was_created():
    items = Items(
        ["a", "b", "c", "d"], [], np.full(4, -1), np.zeros(4), np.array([5.0, 12, 99, np.nan]), None
    )
    rows = history([[1, 1, 1, 1]])
    rows.day[:] = [10, 11, 12, 13]
    assert exposure(items, rows).tolist() == [1, 0.5, LEAST, 1]


def test_item_knn_is_the_cosine_with_shrinkage():
    similarity = item_knn.similarities(history(LIKES), item_knn.KnnParams(10, 2.0, False)).toarray()
    assert similarity[0, 1] == pytest.approx(2 / (np.sqrt(2) * np.sqrt(3) + 2))
    assert similarity[0, 3] == 0
    assert np.diag(similarity).tolist() == [0, 0, 0, 0]


def test_each_column_keeps_its_largest_entries_and_of_equal_ones_the_first_rows():
    matrix = sp.csc_matrix(np.array([[0.1, 0.5], [-0.9, 0.5], [0.3, 0.5]]))
    assert top_per_column(matrix, 2).toarray().tolist() == [[0, 0.5], [-0.9, 0.5], [0.3, 0]]


def test_weights_matter_only_relative_to_each_other():
    doubled = [[2 * value for value in row] for row in LIKES]
    params = ease.EaseParams(3.0, weighted=True)
    assert np.allclose(ease.weights(history(LIKES), params), ease.weights(history(doubled), params))
