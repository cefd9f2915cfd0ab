import numpy as np
import pytest

from recommender.data import Interactions
from recommender.metrics import evaluate_ranking, top_items


def rows(shape: tuple[int, int], pairs: list[tuple[int, int]]) -> Interactions:
    user, item = (np.array(column, dtype=np.int32) for column in zip(*sorted(pairs), strict=True))
    ones = np.ones(len(pairs))
    return Interactions(shape, user, item, ones, ones, ones, ones, np.full(len(pairs), np.nan))


class Fixed:
    def __init__(self, table: list[list[float]]) -> None:
        self.table = np.array(table)

    def scores(self, users: np.ndarray) -> np.ndarray:
        return self.table[users]


def test_ndcg_and_recall_are_those_computed_by_hand():
    # User 0 ranks 0, 1, 2, 3, 4; has seen 0; wants 2 and 4. Ranks without the seen one: 1, 2, 3, 4.
    seen = rows((1, 5), [(0, 0)])
    relevant = rows((1, 5), [(0, 2), (0, 4)])
    result = evaluate_ranking(Fixed([[5, 4, 3, 2, 1]]), seen, relevant, np.array([0]), k=3)
    dcg = 1 / np.log2(3)
    ideal = 1 / np.log2(2) + 1 / np.log2(3)
    assert result["ndcg@3"] == pytest.approx(dcg / ideal)
    assert result["recall@3"] == pytest.approx(1 / 2)


def test_relevant_items_that_were_seen_do_not_count_and_users_with_no_other_are_left_out():
    seen = rows((2, 3), [(0, 0), (1, 0)])
    relevant = rows((2, 3), [(0, 0), (1, 0), (1, 1)])
    result = evaluate_ranking(Fixed([[0, 0, 1], [9, 1, 0]]), seen, relevant, np.array([0, 1]), k=1)
    assert result == {"ndcg@1": 1.0, "recall@1": 1.0}


def test_the_ideal_of_more_relevant_items_than_places_is_one():
    relevant = rows((1, 4), [(0, 0), (0, 1), (0, 2)])
    seen = rows((1, 4), [(0, 3)])
    result = evaluate_ranking(Fixed([[3, 2, 1, 0]]), seen, relevant, np.array([0]), k=2)
    assert result == {"ndcg@2": 1.0, "recall@2": 1.0}


def test_items_a_model_never_shows_are_no_hits():
    relevant = rows((1, 3), [(0, 2)])
    seen = rows((1, 3), [(0, 0)])
    model = Fixed([[0, 1, -np.inf]])
    assert evaluate_ranking(model, seen, relevant, np.array([0]), k=3)["ndcg@3"] == 0.0


def test_no_users_score_zero():
    nobody = rows((1, 2), [(0, 1)])
    result = evaluate_ranking(Fixed([[1, 0]]), nobody, nobody, np.array([0]))
    assert result == {"ndcg@10": 0.0, "recall@10": 0.0}


def test_equal_scores_are_in_the_order_of_item_numbers():
    scores = np.array([[1.0, 2.0, 1.0, 2.0, 1.0]])
    assert top_items(scores, 3).tolist() == [[1, 3, 0]]
    assert top_items(scores, 9).tolist() == [[1, 3, 0, 2, 4]]
