"""Pruning of item-item matrices."""

import numpy as np
import scipy.sparse as sp


def top_per_column(matrix: sp.csc_matrix, most: int) -> sp.csr_matrix:
    """Keeps the `most` entries of largest magnitude in every column; equal ones by row number. Sorted CSR."""
    matrix = sp.csc_matrix(matrix)
    matrix.eliminate_zeros()
    matrix.sort_indices()
    size = np.abs(matrix.data)
    kept = np.ones(len(size), dtype=bool)
    for column in np.flatnonzero(np.diff(matrix.indptr) > most):
        own = slice(*matrix.indptr[column : column + 2])
        least = np.partition(size[own], -most)[-most]
        above, equal = size[own] > least, size[own] == least
        kept[own] = above | (equal & (np.cumsum(equal) <= most - above.sum()))
    column = np.repeat(np.arange(matrix.shape[1]), np.diff(matrix.indptr))
    parts = (matrix.data[kept], (matrix.indices[kept], column[kept]))
    result = sp.csr_matrix(parts, shape=matrix.shape)
    result.sort_indices()
    return result
