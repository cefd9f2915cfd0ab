"""Source of candidates and features: implicit ALS (Hu, Koren & Volinsky 2008), tuned as Rendle et al. 2021
(arXiv:2110.14037) tell. That nobody looked at an item while it was not there yet does not count against it.

The loss, over users u and items j, with x_uj the value of an interaction (0: none) and e_j the exposure:

    Σ_observed x_uj (1 - u·v)² + unobserved Σ_all e_j (u·v)² + Σ_u λ_u |u|² + Σ_j λ_j |v|²

λ is the regularisation times the weight of all terms that a vector is in.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from recommender.data import Interactions
from recommender.values import history_values

SWEEPS = 8
# From factors of nearly the same history.
SWEEPS_ON = 2
# Rows whose normal equations are held at once.
BLOCK = 4_096


@dataclass(frozen=True)
class AlsParams:
    dimensions: int = 32
    regularisation: float = 0.03
    unobserved: float = 0.3
    """weight of a pair without interaction, where an interaction of mean weight has 1"""


def item_factors(
    history: Interactions, exposure: np.ndarray, params: AlsParams, start: np.ndarray | None = None
) -> np.ndarray:
    """Items x dimensions, float32; zeros for an item that nobody touched.

    `start`: factors of nearly the same history, from which fewer sweeps lead here.
    """
    # Half the bytes, and none of the digits that matter while it goes on.
    values = history.matrix(history_values(history, True)).astype(np.float32)
    users, items = values.shape
    shown = exposure.astype(np.float32)
    if values.nnz == 0:
        return np.zeros((items, params.dimensions), dtype=np.float32)
    factors = _start(items, params.dimensions) if start is None else start.copy()
    of_item = np.asarray(values.sum(axis=0)).ravel()
    ridge = params.regularisation * (of_item + params.unobserved * shown * users)
    for _ in range(SWEEPS if start is None else SWEEPS_ON):
        of_users = _user_factors(values, factors, gram(factors, exposure, params), params)
        weighted, target = _normal_equations(values, of_users)
        everybody = params.unobserved * _triangle(of_users.T @ of_users)
        for rows in _blocks(items):
            equations = weighted[rows] + shown[rows, None] * everybody
            factors[rows] = _solve(equations, ridge[rows], target[rows])
    return factors


def gram(factors: np.ndarray, exposure: np.ndarray, params: AlsParams) -> np.ndarray:
    """What every user's equations have in common: the unobserved, and their share of the regularisation."""
    factors = factors.astype(np.float64)
    unobserved = params.unobserved * (factors.T * exposure) @ factors
    ridge = params.regularisation * params.unobserved * exposure.sum()
    return unobserved + ridge * np.eye(factors.shape[1])


def user_factors(
    values: sp.csr_matrix, factors: np.ndarray, common: np.ndarray, params: AlsParams
) -> np.ndarray:
    """Users x dimensions, the best vectors for these histories. `common`: see gram."""
    return _user_factors(values, factors.astype(np.float64), common, params)


def _user_factors(
    values: sp.csr_matrix, factors: np.ndarray, common: np.ndarray, params: AlsParams
) -> np.ndarray:
    result = np.zeros((values.shape[0], factors.shape[1]), dtype=factors.dtype)
    ridge = params.regularisation * np.asarray(values.sum(axis=1)).ravel()
    outer, shared = _outer(factors), _triangle(common.astype(factors.dtype))
    for rows in _blocks(len(result)):
        part = values[rows]
        result[rows] = _solve(part @ outer + shared, ridge[rows], part @ factors)
    return result


class Als:
    """Score of j for u: u·v_j, u solved for the user's history."""

    def __init__(self, history: Interactions, exposure: np.ndarray, params: AlsParams) -> None:
        self.values = history.matrix(history_values(history, True))
        self.factors = item_factors(history, exposure, params).astype(np.float64)
        self.common, self.params = gram(self.factors, exposure, params), params

    def scores(self, users: np.ndarray) -> np.ndarray:
        return user_factors(self.values[users], self.factors, self.common, self.params) @ self.factors.T


def grids(items: int) -> Iterator[Callable[[AlsParams], list[AlsParams]]]:
    """What tuning searches, each step around the best so far; fewer dimensions where scoring takes long."""
    yield lambda best: [replace(best, regularisation=value) for value in (0.01, 0.03, 0.1)]
    yield lambda best: [replace(best, unobserved=value) for value in (0.1, 1.0)]
    if items <= 10_000:
        yield lambda best: [replace(best, dimensions=2 * best.dimensions)]


def _start(items: int, dimensions: int) -> np.ndarray:
    drawn = np.random.default_rng(0).normal(size=(items, dimensions), scale=0.1 / np.sqrt(dimensions))
    return drawn.astype(np.float32)


def _normal_equations(values: sp.csr_matrix, of_users: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each item Σ_u x_uj u uᵀ, as the upper triangle, and Σ_u x_uj u."""
    dimensions = of_users.shape[1]
    weighted = np.zeros((values.shape[1], dimensions * (dimensions + 1) // 2), dtype=of_users.dtype)
    target = np.zeros((values.shape[1], dimensions), dtype=of_users.dtype)
    for rows in _blocks(len(of_users), 16 * BLOCK):
        part, block = values[rows].T.tocsr(), of_users[rows]
        weighted += part @ _outer(block)
        target += part @ block
    return weighted, target


def _outer(vectors: np.ndarray) -> np.ndarray:
    """v vᵀ of each row, as its upper triangle."""
    row, column = np.triu_indices(vectors.shape[1])
    return np.ascontiguousarray(vectors[:, row] * vectors[:, column])


def _triangle(matrix: np.ndarray) -> np.ndarray:
    return matrix[np.triu_indices(len(matrix))]


def _solve(triangles: np.ndarray, ridge: np.ndarray, target: np.ndarray) -> np.ndarray:
    dimensions = target.shape[1]
    row, column = np.triu_indices(dimensions)
    matrices = np.empty((len(triangles), dimensions, dimensions), dtype=triangles.dtype)
    matrices[:, row, column] = triangles
    matrices[:, column, row] = triangles
    matrices[:, range(dimensions), range(dimensions)] += ridge[:, None]
    return np.linalg.solve(matrices, target[:, :, None])[:, :, 0]


def _blocks(count: int, size: int = BLOCK) -> Iterator[slice]:
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
