import pytest

from common.gate import Evaluation, decide

SERVED = {"parity": 2e-6, "latencyMs": 1.2, "rows": 200}


def recommender(ours, popularity=0.10, item_knn=0.20, ease=None, data="a", synthetic=True, serving=SERVED):
    scores = {
        "ours": {"ndcg@10": ours},
        "popularity": {"ndcg@10": popularity},
        "itemKnn": {"ndcg@10": item_knn},
        "ease": None if ease is None else {"ndcg@10": ease},
    }
    return Evaluation(scores, data, synthetic, serving)


def forecaster(ours, naive=1.2, coverage=0.8, data="a", ets=1.25):
    simple = {"seasonalNaive": naive, "naive": 1.3, "movingAverage": 1.25, "ets": ets}
    scores = {"ours": {"mase": ours, "coverage": coverage}} | {
        name: {"mase": value} for name, value in simple.items()
    }
    return Evaluation(scores, data, True, SERVED)


@pytest.mark.parametrize(
    ("model", "candidate", "production", "passed", "reason"),
    [
        ("recommender", recommender(0.21), None, True, "no version is in production"),
        ("recommender", recommender(0.20), None, False, "does not beat itemKnn"),
        ("recommender", recommender(0.21, ease=0.22), None, False, "does not beat ease"),
        ("recommender", recommender(0.23, ease=0.22), None, True, "beats popularity, itemKnn, ease"),
        (
            "recommender",
            recommender(0.15, popularity=0.16, item_knn=0.1),
            None,
            False,
            "does not beat popularity",
        ),
        ("recommender", recommender(float("nan")), None, False, "not known"),
        (
            "recommender",
            Evaluation({"ours": {"ndcg@10": 0.3}, "itemKnn": None}, "a", True),
            None,
            False,
            "popularity is not",
        ),
        ("recommender", recommender(0.25), recommender(0.24), True, "not worse than production"),
        ("recommender", recommender(0.24), recommender(0.24), True, "not worse than production"),
        ("recommender", recommender(0.24), recommender(0.25), False, "worse than production"),
        ("recommender", recommender(0.24), recommender(0.30, data="b"), True, "trained on other data"),
        (
            "recommender",
            recommender(0.21),
            recommender(0.40, data="b"),
            False,
            "lift over the baselines fell",
        ),
        (
            "recommender",
            recommender(0.21),
            recommender(0.40, data="b", synthetic=False),
            True,
            "another kind",
        ),
        (
            "recommender",
            recommender(0.21),
            Evaluation({"ours": None}, "b", True),
            True,
            "no version is in production",
        ),
        (
            "recommender",
            recommender(0.21),
            None,
            True,
            "within 2.0e-06 of the trained model; 200 rows in 1.2 ms",
        ),
        ("recommender", recommender(0.21, serving=None), None, False, "parity and latency"),
        (
            "recommender",
            recommender(0.21, serving=SERVED | {"parity": 2e-3}),
            None,
            False,
            "differs from the trained one by 2.0e-03, 1e-04 allowed",
        ),
        (
            "recommender",
            recommender(0.21, serving=SERVED | {"parity": float("nan")}),
            None,
            False,
            "differs",
        ),
        (
            "recommender",
            recommender(0.21, serving=SERVED | {"latencyMs": 10.5}),
            None,
            False,
            "200 rows take 10.5 ms, 10 allowed",
        ),
        ("forecaster", forecaster(1.0), None, True, "beats seasonalNaive"),
        ("forecaster", forecaster(1.3), None, False, "does not beat seasonalNaive"),
        ("forecaster", forecaster(1.1, ets=1.0), None, False, "does not beat ets"),
        ("forecaster", forecaster(1.0, coverage=0.70), None, True, ""),
        ("forecaster", forecaster(1.0, coverage=0.69), None, False, "coverage 0.690 is outside"),
        ("forecaster", forecaster(1.0, coverage=0.95), None, False, "coverage 0.950 is outside"),
        ("forecaster", forecaster(1.0, coverage=None), None, False, "coverage unknown"),
        ("forecaster", forecaster(1.0), forecaster(0.9), False, "worse than production"),
        ("forecaster", forecaster(0.9), forecaster(1.0), True, "not worse than production"),
        ("forecaster", forecaster(1.15), forecaster(0.7, data="b"), False, "lift over the baselines fell"),
    ],
)
def test_a_version_is_promoted_only_when_it_is_better_than_baselines_and_not_worse_than_production(
    model, candidate, production, passed, reason
):
    decision = decide(model, candidate, production)
    assert (decision.passed, reason in decision.reason) == (passed, True), decision
