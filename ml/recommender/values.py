"""What an interaction is worth to the item-item models."""

import numpy as np

from recommender.data import Interactions


def history_values(history: Interactions, weighted: bool) -> np.ndarray:
    """Ones, or weights with mean 1, so that regularisation means the same for both."""
    if not weighted or len(history) == 0:
        return np.ones(len(history))
    return history.weight / history.weight.mean()
