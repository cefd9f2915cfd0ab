from common.card import card
from common.gate import Decision

EVALUATED = {
    "dataVersion": "0123abcd",
    "synthetic": True,
    "scores": {
        "ours": {"ndcg@10": 0.31, "recall@10": 0.2},
        "popularity": {"ndcg@10": 0.1},
        "ease": None,
    },
    "segments": {"activity of the user": {"1 to 5 products": {"ours": {"ndcg@10": 0.12}, "ceiling": None}}},
    "serving": {"parity": 2e-6, "latencyMs": 1.24, "rows": 200},
}
MANIFEST = {
    "dataVersion": "0123abcd",
    "counts": {"events": 40_000, "visitorEvents": 17},
    "firstDate": "2026-01-01",
    "lastDate": "2026-06-30",
    "split": {"kind": "time", "trainEnd": "2026-05-01", "validEnd": "2026-06-01", "testEnd": "2026-06-30"},
}
LINEAGE = {"data_version": "0123abcd", "commit": "c0ffee", "data_job": "job-1"}


PASSED = Decision(True, "it is better")


def text(evaluated=EVALUATED, decision=PASSED, name="recommender"):
    return card(name, evaluated, MANIFEST, LINEAGE, decision, 7)


def test_a_card_tells_data_metrics_beside_baselines_segments_gate_and_limits():
    lines = text().splitlines()
    for line in [
        "- Version: `0123abcd`",
        "- Made by: a generator: all figures below are of synthetic data",
        "- Period: 2026-01-01 to 2026-06-30",
        "- Rows: 40,000 events, 17 visitor events",
        "- Held out: after 2026-05-01 to choose by, after 2026-06-01 to judge by",
        "- Code: `c0ffee`, seed 7",
        "|  | nDCG@10 | recall@10 |",
        "| ours | 0.3100 | 0.2000 |",
        "| popularity | 0.1000 | – |",
        "| EASE | – | – |",
        "### nDCG@10 by activity of the user",
        "|  | ours | ceiling |",
        "| 1 to 5 products | 0.1200 | – |",
        "Passed: it is better.",
    ]:
        assert line in lines, line
    assert "200 rows in 1.2 ms" in text()
    assert "## Use and limits" in lines


def test_a_failed_gate_is_told_with_its_reason():
    assert "Failed: it is worse." in text(decision=Decision(False, "it is worse"))


def test_data_of_a_shop_are_not_called_synthetic_and_what_is_unknown_is_left_out():
    evaluated = {key: value for key, value in EVALUATED.items() if key not in ("segments", "serving")}
    told = text(evaluated | {"synthetic": False})
    assert "synthetic" not in told
    assert "## Served" not in told
    assert "###" not in told


def test_of_a_model_with_data_of_its_own_the_shops_counts_are_not_told():
    own = text(
        EVALUATED | {"dataVersion": "stories", "scores": {"ours": {"facts": 0.9}}, "segments": {}},
        name="summarizer",
    )
    assert "40,000" not in own
    assert "`stories`" in own
