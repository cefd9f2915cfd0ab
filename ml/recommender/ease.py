"""Baseline and source of features: EASE, closed-form item-item regression (Steck 2019, arXiv:1905.03375)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from recommender.data import Interactions
from recommender.values import history_values

# The Gram matrix is dense: 0.8 GB at this size, and inverted for every setting that is tried.
MOST_ITEMS = 10_000


@dataclass(frozen=True)
class EaseParams:
    regularisation: float = 100.0
    """λ, in users"""
    weighted: bool = True
    """log-scaled counts instead of ones"""


def weights(history: Interactions, params: EaseParams) -> np.ndarray:
    """B = I - P diag(1 / diag P), P = (X'X + λI)⁻¹; zero diagonal. Items x items."""
    values = history.matrix(history_values(history, params.weighted))
    gram = (values.T @ values).toarray()
    gram[np.diag_indices_from(gram)] += params.regularisation
    inverse = np.linalg.inv(gram)
    matrix = inverse / -np.diag(inverse)
    np.fill_diagonal(matrix, 0)
    return matrix


class Ease:
    """Score of j for u: Σ_h x_uh B[h, j] over the user's history."""

    def __init__(self, history: Interactions, params: EaseParams) -> None:
        self.values = history.matrix(history_values(history, params.weighted))
        self.weights = weights(history, params)

    def scores(self, users: np.ndarray) -> np.ndarray:
        return self.values[users] @ self.weights


def grids(items: int) -> Iterator[Callable[[EaseParams], list[EaseParams]]]:
    """What tuning searches, each step around the best so far; coarser where one fit takes long."""
    coarse = (10, 30, 100, 300, 1000, 3000) if items <= 4_000 else (100, 300, 1000)
    yield lambda best: [replace(best, regularisation=float(value)) for value in coarse]
    yield lambda best: [replace(best, weighted=not best.weighted)]
    if items <= 4_000:
        yield lambda best: [
            replace(best, regularisation=best.regularisation * factor) for factor in (0.6, 1.7)
        ]
