import json

from common.evaluate import report

EVALUATION = {
    "dataVersion": "0123456789abcdef",
    "synthetic": True,
    "models": {
        "recommender": {
            "scores": {
                "ours": {"ndcg@10": 0.3, "recall@10": 0.25},
                "popularity": {"ndcg@10": 0.1, "recall@10": 0.08},
                "itemKnn": {"ndcg@10": 0.2, "recall@10": 0.2},
                "ease": None,
                "ceiling": {"ndcg@10": 0.6, "recall@10": 0.5},
            }
        },
        "forecaster": {
            "scores": {
                "ours": {"mase": 0.9, "wape": 0.3, "coverage": 0.81},
                "seasonalNaive": {"mase": 1.2, "wape": 0.4},
                "ceiling": {"mase": 0.72},
            }
        },
    },
}


def row(text, label):
    return next(line.split() for line in text.splitlines() if line.strip().startswith(label))


def test_the_tables_show_every_model_with_its_share_of_the_ceiling():
    text = report(EVALUATION)
    assert row(text, "ours") == ["ours", "0.3000", "0.2500", "50.0%"]
    assert row(text, "EASE") == ["EASE", "-", "-", "-"]
    assert row(text, "seasonal naive")[-1] == "60.0%"
    widths = {len(line) for line in text.splitlines() if line.startswith("  ")}
    assert len(widths) == 2, "each table is aligned"


def test_the_last_line_is_one_json_object_with_the_headline_figures():
    assert json.loads(report(EVALUATION).splitlines()[-1]) == {
        "recommender": {"ours": 0.3, "popularity": 0.1, "itemKnn": 0.2, "ease": None, "ceiling": 0.6},
        "forecaster": {"ours": 0.9, "seasonalNaive": 1.2, "ceiling": 0.72, "coverage": 0.81},
    }


def test_a_skipped_model_is_shown_with_its_reason_and_null_figures():
    models = EVALUATION["models"] | {"forecaster": {"skipped": "The data has no sales."}}
    text = report(EVALUATION | {"models": models})
    assert "skipped: The data has no sales." in text
    assert set(json.loads(text.splitlines()[-1])["forecaster"].values()) == {None}
