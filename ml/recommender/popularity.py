"""Baseline: the same list for everybody, by number of users."""

import numpy as np

from recommender.data import Interactions


class Popularity:
    """Scores an item by the number of users who interacted with it."""

    def __init__(self, history: Interactions) -> None:
        self.users_of_item = np.bincount(history.item, minlength=history.shape[1]).astype(np.float64)

    def scores(self, users: np.ndarray) -> np.ndarray:
        return np.tile(self.users_of_item, (len(users), 1))
