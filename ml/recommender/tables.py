"""What is known of the items when a history is ranked: similarities, factors, popularity, content."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from recommender import als, ease, item_knn
from recommender.data import Dataset, Interactions, Items
from recommender.exposure import exposure
from recommender.item_knn import KnnParams
from recommender.settings import Settings
from recommender.sparse import top_per_column

# Columns of Tables.item_features, which are also ranking features.
ITEM_FEATURES = {
    "item_popularity": "users of the item, as a share of the most popular item's",
    "item_log_popularity": "logarithm of the same",
    "item_recent_popularity": "the same with every interaction halved per half-life before the newest of all",
    "item_momentum": "recent popularity divided by popularity",
    "item_purchase_rate": "share of the item's users who bought it",
    "item_log_age": "log(1 + days since the item was created); -1: unknown",
    "item_price_level": "price's quantile within the item's category, 0..1; 0.5: unknown",
}


@dataclass(frozen=True)
class Tables:
    """All float32, as served. Similarities are CSR: row = item of a history, column = item scored."""

    item_features: np.ndarray
    """items x ITEM_FEATURES"""
    category: np.ndarray
    """category number, -1: none"""
    log_price: np.ndarray
    """NaN: unknown"""
    knn: sp.csr_matrix
    ease: sp.csr_matrix
    """empty when EASE is not used"""
    bought: sp.csr_matrix
    """cosine of buyers, for what is bought together"""
    factors: np.ndarray
    """items x dimensions, of implicit ALS"""
    factor_gram: np.ndarray
    """dimensions x dimensions, what every user's equations of ALS have in common"""
    tokens: sp.csr_matrix
    """items x attribute values, inverse document frequency, unit rows"""
    mean_weight: float
    """interaction weight that counts as 1"""


def build_tables(
    dataset: Dataset, history: Interactions, settings: Settings, before: Tables | None = None
) -> Tables:
    """`before`: those of a part of this history, from which the factors are learned on."""
    items = dataset.items
    mean_weight = float(np.float32(history.weight.mean())) if len(history) else 1.0
    shown = exposure(items, history)
    # A cosine grows with the root of the time that an item was there, the weights of a regression with the time.
    by_cosine, by_regression = sp.diags(1 / np.sqrt(shown)), sp.diags(1 / shown)
    factors = als.item_factors(history, shown, settings.als, None if before is None else before.factors)
    buyers = history.take(history.purchases > 0)
    if settings.ease is None:
        ease_matrix = sp.csr_matrix((len(items), len(items)))
    else:
        ease_matrix = top_per_column(
            sp.csc_matrix(ease.weights(history, settings.ease)), settings.ease_neighbours
        )
    return Tables(
        item_features=_item_features(items, history, settings.half_life_days).astype(np.float32),
        category=items.category,
        log_price=items.log_price.astype(np.float32),
        knn=(item_knn.similarities(history, settings.knn) @ by_cosine).astype(np.float32),
        ease=(ease_matrix @ by_regression).astype(np.float32),
        bought=item_knn.similarities(buyers, KnnParams(30, settings.knn.shrinkage, False)).astype(np.float32),
        factors=factors,
        factor_gram=als.gram(factors, shown, settings.als).astype(np.float32),
        tokens=_tokens(items).astype(np.float32),
        mean_weight=mean_weight,
    )


def recent_popularity(tables: Tables) -> np.ndarray:
    """Of each item, float64."""
    return tables.item_features[:, list(ITEM_FEATURES).index("item_recent_popularity")].astype(np.float64)


def _item_features(items: Items, history: Interactions, half_life: float) -> np.ndarray:
    count = len(items)
    end = np.nanmax(history.day) if np.isfinite(history.day).any() else np.nan
    users = np.bincount(history.item, minlength=count)
    buyers = np.bincount(history.item[history.purchases > 0], minlength=count)
    decay = np.where(np.isnan(history.day), 1.0, 0.5 ** ((end - history.day) / half_life))
    recent = np.bincount(history.item, weights=decay, minlength=count)
    share, recent_share = users / max(users.max(initial=0), 1), recent / max(recent.max(initial=0), 1e-9)
    age = np.log1p(np.maximum(end - items.created_day, 0))
    return np.column_stack(
        [
            share,
            np.log(share + 1e-4),
            recent_share,
            recent_share / (share + 0.01),
            buyers / np.maximum(users, 1),
            np.where(np.isnan(age), -1, age),
            _price_level(items),
        ]
    )


def _price_level(items: Items) -> np.ndarray:
    level = np.full(len(items), 0.5)
    priced = np.flatnonzero(~np.isnan(items.log_price))
    order = priced[np.lexsort((items.log_price[priced], items.category[priced]))]
    category = items.category[order]
    start = np.searchsorted(category, category, side="left")
    size = np.searchsorted(category, category, side="right") - start
    level[order] = (np.arange(len(order)) - start + 0.5) / size
    return level


def _tokens(items: Items) -> sp.csr_matrix:
    tokens = items.tokens
    frequency = np.asarray(tokens.sum(axis=0)).ravel()
    # A value that one item alone has says nothing of others.
    idf = np.where(frequency > 1, np.log((len(items) + 1) / (frequency + 1)), 0)
    weighted = tokens @ sp.diags(idf) if tokens.shape[1] else tokens
    weighted = sp.csr_matrix(weighted)
    weighted.eliminate_zeros()
    norm = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    unit = sp.csr_matrix(sp.diags(1 / np.where(norm > 0, norm, 1)) @ weighted)
    unit.sort_indices()
    return unit
