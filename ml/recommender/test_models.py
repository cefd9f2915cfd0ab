import numpy as np
import pytest
import scipy.sparse as sp

from recommender import ease, item_knn
from recommender.data import Interactions
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
