"""Baseline and source of features: item-item cosine with shrinkage (Sarwar et al. 2001; Aiolli 2013)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from recommender.data import Interactions
from recommender.sparse import top_per_column
from recommender.values import history_values


@dataclass(frozen=True)
class KnnParams:
    neighbours: int = 100
    """kept per item"""
    shrinkage: float = 5.0
    """added to the denominator: doubts similarities that few users support"""
    weighted: bool = True
    """log-scaled counts instead of ones"""


def similarities(history: Interactions, params: KnnParams) -> sp.csr_matrix:
    """S[h, j] = x_h·x_j / (|x_h| |x_j| + shrinkage), no diagonal, the largest `neighbours` per column."""
    values = history.matrix(history_values(history, params.weighted))
    return top_per_column(_cosine(values, params.shrinkage), params.neighbours)


class ItemKnn:
    """Score of j for u: Σ_h x_uh S[h, j] over the user's history."""

    def __init__(self, history: Interactions, params: KnnParams) -> None:
        self.values = history.matrix(history_values(history, params.weighted))
        self.similarity = similarities(history, params)

    def scores(self, users: np.ndarray) -> np.ndarray:
        return (self.values[users] @ self.similarity).toarray()


def grids() -> Iterator[Callable[[KnnParams], list[KnnParams]]]:
    """What tuning searches, each step around the best so far."""
    yield lambda best: [
        replace(best, neighbours=neighbours, shrinkage=shrinkage)
        for neighbours in (20, 50, 100, 200)
        for shrinkage in (0.0, 5.0, 20.0)
    ]
    yield lambda best: [replace(best, weighted=not best.weighted)]


def _cosine(values: sp.csr_matrix, shrinkage: float) -> sp.csc_matrix:
    gram = (values.T @ values).tocoo()
    norm = np.sqrt(np.asarray(values.multiply(values).sum(axis=0)).ravel())
    off = gram.row != gram.col
    row, col = gram.row[off], gram.col[off]
    data = gram.data[off] / (norm[row] * norm[col] + shrinkage)
    return sp.csc_matrix((data, (row, col)), shape=gram.shape)
