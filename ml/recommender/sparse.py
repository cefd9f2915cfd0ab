"""Pruning of item-item matrices."""

import numpy as np
import scipy.sparse as sp


def top_per_column(matrix: sp.csc_matrix, most: int) -> sp.csr_matrix:
    """Keeps the `most` entries of largest magnitude in every column; equal ones by row number. Sorted CSR."""
    matrix = sp.csc_matrix(matrix)
    matrix.eliminate_zeros()
    column = np.repeat(np.arange(matrix.shape[1]), np.diff(matrix.indptr))
    order = np.lexsort((matrix.indices, -np.abs(matrix.data), column))
    position = np.arange(len(order)) - matrix.indptr[column]
    kept = order[position < most]
    result = sp.csr_matrix((matrix.data[kept], (matrix.indices[kept], column[kept])), shape=matrix.shape)
    result.sort_indices()
    return result
