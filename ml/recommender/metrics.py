"""Ranking metrics with binary relevance over the whole catalogue."""

from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np

from recommender.data import Interactions

# A block of dense scores takes at most about this many bytes.
BLOCK_BYTES = 64 << 20


class Recommender(Protocol):
    """What every model here is, learned or not: fitted on histories, it scores items for users."""

    def scores(self, users: np.ndarray) -> np.ndarray:
        """Users (ascending numbers) x items; -inf for what the model would never show."""
        ...


def evaluate_ranking(
    model: Recommender, seen: Interactions, relevant: Interactions, users: np.ndarray, k: int = 10
) -> dict[str, float]:
    """Mean nDCG@k and recall@k over `users`; see rank_users."""
    return means(rank_users(model, seen, relevant, users, k)[1])


def means(quality: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Of each metric over users; 0 where there is nobody."""
    return {name: float(values.mean()) if len(values) else 0.0 for name, values in quality.items()}


def rank_users(
    model: Recommender, seen: Interactions, relevant: Interactions, users: np.ndarray, k: int = 10
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The users that count, ascending, and nDCG@k and recall@k of each.

    What a user has in `seen` is taken out of both the ranking and the relevant items; users left without
    a relevant item do not count.

    nDCG@k = Σ_i rel_i / log2(i + 1) over ranks i = 1..k, divided by the same sum of the ideal order
    (Järvelin & Kekäläinen 2002). recall@k = hits in the first k / min(k, number of relevant items).
    """
    users = np.sort(users)
    users = users[relevant_unseen(seen, relevant, users) > 0]
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate(([0], np.cumsum(discount)))
    ndcg, recall = [np.empty(0)], [np.empty(0)]
    for block in blocks(users, seen.shape[1]):
        masked = np.array(model.scores(block), dtype=np.float64)
        known = seen.of_users(block)
        masked[known.user, known.item] = -np.inf
        top = top_items(masked, k)
        truth = relevant.of_users(block).matrix().toarray() > 0
        truth[known.user, known.item] = False
        hits = np.take_along_axis(truth, top, axis=1) & np.isfinite(np.take_along_axis(masked, top, axis=1))
        count = np.minimum(truth.sum(axis=1), k)
        ndcg.append(hits @ discount[: top.shape[1]] / ideal[count])
        recall.append(hits.sum(axis=1) / count)
    return users, {f"ndcg@{k}": np.concatenate(ndcg), f"recall@{k}": np.concatenate(recall)}


def relevant_unseen(seen: Interactions, relevant: Interactions, users: np.ndarray) -> np.ndarray:
    """Number of relevant items that are new to each of `users`."""
    new = relevant.take(~np.isin(pair_keys(relevant), pair_keys(seen), assume_unique=True))
    return np.diff(new.indptr)[users]


def pair_keys(rows: Interactions) -> np.ndarray:
    """One integer per (user, item)."""
    return rows.user.astype(np.int64) * rows.shape[1] + rows.item


def top_items(scores: np.ndarray, k: int) -> np.ndarray:
    """Item numbers of the k highest scores per row, best first; equal scores by item number."""
    k = min(k, scores.shape[1])
    if k < scores.shape[1]:
        # Everything above the k-th score, then the lowest item numbers among those equal to it.
        threshold = np.partition(scores, -k, axis=1)[:, -k, None]
        above = scores > threshold
        equal = scores == threshold
        room = k - above.sum(axis=1, keepdims=True)
        chosen = above | (equal & (np.cumsum(equal, axis=1) <= room))
        items = np.nonzero(chosen)[1].reshape(len(scores), k)
    else:
        items = np.tile(np.arange(scores.shape[1]), (len(scores), 1))
    order = np.argsort(-np.take_along_axis(scores, items, axis=1), axis=1, kind="stable")
    return np.take_along_axis(items, order, axis=1)


def blocks(users: np.ndarray, items: int) -> Iterator[np.ndarray]:
    """`users` in pieces whose dense score matrix stays small."""
    size = max(1, BLOCK_BYTES // (8 * max(items, 1)))
    for start in range(0, len(users), size):
        yield users[start : start + size]
