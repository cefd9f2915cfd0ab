"""The one definition of candidates and features; serving repeats it in TypeScript, and `golden/` binds both.

Notation: h runs over a user's history (at most `history_limit` newest items), j is the item scored.
w_h = weight of h / mean weight. r_h = w_h halved per half-life before the user's own newest interaction
(times unknown: w_h); wall-clock time plays no part, so that old data rank like fresh. Sums run over h in
the order of item numbers, in float64, and are rounded to float32 once, so that both languages agree.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from recommender import als
from recommender.data import Interactions, concatenated_ranges
from recommender.metrics import top_items
from recommender.settings import Settings
from recommender.tables import ITEM_FEATURES, Tables, recent_popularity

VERSION = 2

PAIR_FEATURES = {
    "als": "u · V_j, V the item factors of ALS, u solved for the history with values w_h",
    "als_relative": "als divided by the user's highest als over all items",
    "ease": "Σ_h w_h B[h, j], B the EASE weights",
    "ease_recent": "Σ_h r_h B[h, j]",
    "ease_relative": "ease divided by the user's highest ease over all items",
    "knn": "Σ_h w_h S[h, j], S the item-item similarity",
    "knn_recent": "Σ_h r_h S[h, j]",
    "knn_relative": "knn divided by the user's highest knn over all items",
    "knn_mean": "knn divided by Σ_h w_h",
    "knn_max": "max_h S[h, j]",
    "knn_last": "max S[h, j] over the user's newest few items",
    "bought": "Σ T[h, j] over h the user bought, T the similarity by buyers",
    "content": "(Σ_h w_h t_h) · t_j / |Σ_h w_h t_h|, t the unit vector of category and attribute values",
    "content_recent": "the same with r_h",
    "category_share": "share of j's category in Σ_h w_h",
    "category_recent": "the same with r_h",
    "price_gap": "log price of j minus the w-weighted mean log price of the history; 0: unknown",
    "price_distance": "absolute value of price_gap",
}
USER_FEATURES = {
    "user_items": "log(1 + number of items in the history)",
    "user_purchase_share": "share of them that were bought",
    "user_mainstream": "mean item_popularity over the history",
}
FEATURES = {**PAIR_FEATURES, **ITEM_FEATURES, **USER_FEATURES}


@dataclass(frozen=True)
class Candidates:
    """Rows of (user, item), sorted by user, then item; `features` has a row for each, columns as FEATURES."""

    user: np.ndarray
    item: np.ndarray
    features: np.ndarray


def rank_candidates(
    tables: Tables, history: Interactions, seen: Interactions, settings: Settings
) -> Candidates:
    """Candidates that are not in `seen`, with their features.

    `history` and `seen` number the same users 0..n; `history` is already limited to `history_limit`.
    Dense work: one float64 matrix users x items per source, so call it with blocks of users.
    """
    context = _Context(tables, history, settings)
    user, item = _candidates(tables, context, seen, settings)
    return Candidates(user, item, context.features(user, item))


class _Context:
    """Dense scores of a block of users."""

    def __init__(self, tables: Tables, history: Interactions, settings: Settings) -> None:
        self.tables, self.history = tables, history
        self.users, self.items = history.shape
        self.weight = history.weight / tables.mean_weight
        self.recent_weight = self.weight * _decay(history, settings.half_life_days)
        self.w = history.matrix(self.weight)
        self.r = history.matrix(self.recent_weight)
        self.total = _per_user(history, self.weight)
        self.recent_total = _per_user(history, self.recent_weight)
        of_users = als.user_factors(
            self.w, tables.factors, tables.factor_gram.astype(np.float64), settings.als
        )
        self.als = of_users @ tables.factors.astype(np.float64).T
        self.ease = _dense(self.w @ tables.ease)
        self.knn = _dense(self.w @ tables.knn)
        self.content = self._content(self.w)

        newest = history.newest_first()
        position = np.empty(len(history), dtype=np.int64)
        position[newest] = np.arange(len(history)) - history.indptr[history.user[newest]]
        self.is_last = position < settings.recent_items

    def _content(self, values: sp.csr_matrix) -> np.ndarray:
        profile = values @ self.tables.tokens
        norm = np.sqrt(np.asarray(profile.multiply(profile).sum(axis=1)).ravel())
        unit = sp.diags(1 / np.where(norm > 0, norm, 1)) @ profile
        return _dense(unit @ self.tables.tokens.T)

    def features(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        tables, history = self.tables, self.history
        ease_recent = _dense(self.r @ tables.ease)
        knn_recent = _dense(self.r @ tables.knn)
        bought = _dense(history.matrix(history.purchases > 0) @ tables.bought)
        category, category_recent = (
            self._category(self.w, self.total),
            self._category(self.r, self.recent_total),
        )
        known_category = np.where(tables.category[item] >= 0, tables.category[item], category.shape[1] - 1)
        gap = self._price_gap(user, item)
        items_of_user = np.diff(history.indptr)
        columns = {
            "als": self.als[user, item],
            "als_relative": self.als[user, item] / _positive(self.als.max(axis=1))[user],
            "ease": self.ease[user, item],
            "ease_recent": ease_recent[user, item],
            "ease_relative": self.ease[user, item] / _positive(self.ease.max(axis=1))[user],
            "knn": self.knn[user, item],
            "knn_recent": knn_recent[user, item],
            "knn_relative": self.knn[user, item] / _positive(self.knn.max(axis=1))[user],
            "knn_mean": self.knn[user, item] / _positive(self.total)[user],
            "knn_max": self._highest(tables.knn, np.ones(len(history), dtype=bool))[user, item],
            "knn_last": self._highest(tables.knn, self.is_last)[user, item],
            "bought": bought[user, item],
            "content": self.content[user, item],
            "content_recent": self._content(self.r)[user, item],
            "category_share": category[user, known_category],
            "category_recent": category_recent[user, known_category],
            "price_gap": gap,
            "price_distance": np.abs(gap),
            **{name: tables.item_features[item, column] for column, name in enumerate(ITEM_FEATURES)},
            "user_items": np.log1p(items_of_user)[user],
            "user_purchase_share": self._mean(history.purchases > 0)[user],
            "user_mainstream": self._mean(tables.item_features[history.item, 0])[user],
        }
        return np.column_stack([columns[name] for name in FEATURES]).astype(np.float32)

    def _highest(self, similarity: sp.csr_matrix, rows: np.ndarray) -> np.ndarray:
        """max of similarity[h, j] over the chosen rows h of every user's history; 0 where there is none."""
        user, item = self.history.user[rows], self.history.item[rows]
        starts, ends = similarity.indptr[item].astype(np.int64), similarity.indptr[item + 1].astype(np.int64)
        entries = concatenated_ranges(starts, ends)
        target = np.repeat(user.astype(np.int64), ends - starts) * self.items + similarity.indices[entries]
        highest = np.zeros(self.users * self.items, dtype=np.float32)
        np.maximum.at(highest, target, similarity.data[entries])
        return highest.reshape(self.users, self.items)

    def _category(self, values: sp.csr_matrix, total: np.ndarray) -> np.ndarray:
        """Users x (categories + 1); the last column, for items without a category, is zero."""
        category = self.tables.category
        known = np.flatnonzero(category >= 0)
        width = int(category.max(initial=-1)) + 1
        membership = sp.csr_matrix(
            (np.ones(len(known)), (known, category[known])), shape=(self.items, width + 1)
        )
        return _dense(values @ membership) / _positive(total)[:, None]

    def _price_gap(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        log_price = self.tables.log_price.astype(np.float64)
        priced = np.where(np.isnan(log_price[self.history.item]), 0, self.weight)
        total = _per_user(self.history, priced)
        mean = _per_user(self.history, priced * np.nan_to_num(log_price[self.history.item])) / _positive(
            total
        )
        return np.where(
            (total[user] > 0) & ~np.isnan(log_price[item]), np.nan_to_num(log_price[item]) - mean[user], 0
        )

    def _mean(self, values: np.ndarray) -> np.ndarray:
        return _per_user(self.history, values) / np.maximum(np.diff(self.history.indptr), 1)


def _candidates(
    tables: Tables, context: _Context, seen: Interactions, settings: Settings
) -> tuple[np.ndarray, np.ndarray]:
    """Union of every source's best unseen items. Except for popularity, only a positive score proposes."""
    counts = settings.candidates
    chosen = np.zeros((context.users, context.items), dtype=bool)
    popular = np.broadcast_to(recent_popularity(tables), chosen.shape)
    sources = (
        (context.als, counts.als),
        (context.ease, counts.ease),
        (context.knn, counts.knn),
        (context.content, counts.content),
        (popular, counts.popular),
    )
    for scores, count in sources:
        # Rounded before comparing: scores that differ by rounding errors are ties, which item numbers decide.
        masked = scores.astype(np.float32)
        masked[seen.user, seen.item] = -np.inf
        top = top_items(masked, count)
        values = np.take_along_axis(masked, top, axis=1)
        rows = np.broadcast_to(np.arange(context.users)[:, None], top.shape)
        accepted = np.isfinite(values) if scores is popular else values > 0
        chosen[rows[accepted], top[accepted]] = True
    return np.nonzero(chosen)


def _decay(history: Interactions, half_life: float) -> np.ndarray:
    """0.5 ^ (days before the user's newest interaction / half-life); 1 where the time is unknown."""
    newest = np.full(history.shape[0], -np.inf)
    np.maximum.at(newest, history.user, np.where(np.isnan(history.day), -np.inf, history.day))
    days = newest[history.user] - history.day
    return np.where(np.isnan(days), 1.0, 0.5 ** (days / half_life))


def _per_user(history: Interactions, values: np.ndarray) -> np.ndarray:
    return np.bincount(history.user, weights=values, minlength=history.shape[0])


def _dense(matrix: sp.spmatrix) -> np.ndarray:
    return np.asarray(matrix.todense(), dtype=np.float64)


def _positive(values: np.ndarray) -> np.ndarray:
    """Divisors: 1 where there is nothing to divide by."""
    return np.where(values > 0, values, 1.0)
