"""Baseline and source of features: item-item cosine with shrinkage (Sarwar et al. 2001; Aiolli 2013)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from recommender.data import Interactions
from recommender.sparse import top_per_column
from recommender.values import history_values

# Items whose similarities to all others are held at once.
BLOCK = 2_000


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
    values = history.matrix(history_values(history, params.weighted)).tocsc()
    norm = np.sqrt(np.asarray(values.multiply(values).sum(axis=0)).ravel())
    by_item = values.T.tocsr()
    # The products of all pairs at once would not fit in memory where items are many.
    blocks = [
        top_per_column(_cosines(by_item, values, norm, start, params.shrinkage), params.neighbours)
        for start in range(0, values.shape[1], BLOCK)
    ]
    return sp.hstack(blocks, format="csr") if blocks else sp.csr_matrix((0, 0))


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


def _cosines(
    by_item: sp.csr_matrix, values: sp.csc_matrix, norm: np.ndarray, start: int, shrinkage: float
) -> sp.csc_matrix:
    """Columns `start` to `start + BLOCK` of S, before pruning."""
    columns = (by_item @ values[:, start : start + BLOCK]).tocsc()
    row, col = columns.indices, np.repeat(np.arange(columns.shape[1]), np.diff(columns.indptr))
    columns.data /= norm[row] * norm[start + col] + shrinkage
    columns.data[row == start + col] = 0
    return columns
