"""How long the shop had an item: what is new was seen by few, which says nothing against it."""

import numpy as np

from recommender.data import Interactions, Items

# What appeared just now would otherwise outweigh everything by a single interaction.
LEAST = 0.02


def exposure(items: Items, history: Interactions) -> np.ndarray:
    """Of each item, the share of all interactions since it was created, LEAST to 1; 1: unknown."""
    days = np.sort(history.day[~np.isnan(history.day)])
    if len(days) == 0:
        return np.ones(len(items))
    before = np.searchsorted(days, np.nan_to_num(items.created_day, nan=-np.inf)) / len(days)
    return np.maximum(1 - before, LEAST)
