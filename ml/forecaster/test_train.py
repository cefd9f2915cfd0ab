"""The train stage end to end, on small shops."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import yaml

from forecaster import export, features, forecaster, golden, model, panel, train
from forecaster.evaluate import evaluate
from forecaster.features import SPECS

SETTINGS = replace(model.Settings(), rows=3_000, iterations=20, leaves=8, min_leaf=20)
SMALL = {"rows": 5000, "iterations": 30, "leaves": 8, "min_leaf": 20}


def shop(units: np.ndarray, granularity: str = "day") -> panel.Panel:
    """Products without categories, units [products, periods]."""
    return panel.build(table(units, panel.STEP_DAYS[granularity]), granularity, {}, {})


def table(units: np.ndarray, step: int) -> pd.DataFrame:
    products, periods = units.shape
    dates = pd.date_range("2026-01-05", periods=periods, freq=f"{step}D")
    return pd.DataFrame(
        {
            "date": np.tile(dates, products),
            "product_id": np.repeat([f"p{i:02}" for i in range(products)], periods),
            "units": units.ravel(),
            "price": 100.0,
            "promotion": False,
            "in_stock": True,
        }
    )


def write_dataset(folder: Path, units: np.ndarray, *, granularity: str = "day", sales: bool = True) -> Path:
    """A dataset folder of units [products, periods] from a Monday on; of days, with its complete weeks."""
    products, periods = units.shape
    weekly = units
    if granularity == "day":
        weekly = units[:, : periods // 7 * 7].reshape(products, -1, 7).sum(axis=2)
    for name, values, step in (
        ("sales", units, panel.STEP_DAYS[granularity]),
        ("sales_weekly", weekly, 7),
    ):
        (folder / name).mkdir(parents=True)
        if sales:
            table(values, step).to_parquet(folder / name / "part.parquet")
    manifest = {"dataVersion": "0" * 16, "hasSales": sales, "granularity": granularity if sales else None}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def weekday_sales(products: int, days: int) -> np.ndarray:
    """Counts with a weekday rhythm."""
    rng = np.random.default_rng(4)
    rhythm = np.tile([1.6, 0.6, 0.7, 0.8, 1.0, 1.5, 0.8], days // 7 + 1)[:days]
    return rng.poisson(np.linspace(0.3, 12, products)[:, None] * rhythm).astype(float)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace after the train stage."""
    workspace = tmp_path_factory.mktemp("workspace")
    write_dataset(workspace / "data", weekday_sales(40, 182))
    run(workspace, {"models": ["forecaster"], "forecaster": SMALL, "seed": 7})
    return workspace


def run(workspace: Path, parameters: dict[str, object]) -> None:
    (workspace / "params.yaml").write_text(yaml.safe_dump(parameters))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workspace)
        train.main()


def skipped(workspace: Path) -> str:
    out = workspace / "out/forecaster"
    assert not (out / "bundle").exists()
    return json.loads((out / "skipped.json").read_text())["reason"]


def test_daily_sales_give_a_model_of_days_and_one_of_weeks(trained: Path):
    bundle = trained / "out/forecaster/bundle"
    assert {file.name for file in bundle.iterdir()} == {"day.onnx", "week.onnx", "features.json"}
    content = json.loads((bundle / "features.json").read_text())
    for granularity, part in content["granularities"].items():
        assert part["features"] == features.names(SPECS[granularity])
        for weights in part["weights"].values():
            assert sum(weights) == pytest.approx(1.0)
        session = onnxruntime.InferenceSession(bundle / part["model"], providers=["CPUExecutionProvider"])
        (given,), (answer,) = session.get_inputs(), session.get_outputs()
        assert (given.name, given.type) == ("features", "tensor(float)")
        assert given.shape[1] == len(part["features"])
        assert (answer.name, answer.shape[1]) == ("shares", len(content["outputs"]))


def test_ours_beats_the_seasonal_naive_with_a_calibrated_interval(trained: Path):
    scores = evaluate(trained / "data", trained / "out/forecaster")["scores"]
    assert set(scores) == {"ours", "seasonalNaive", "naive", "movingAverage", "ets", "ceiling"}
    assert scores["ceiling"] is None
    # Of three windows the first only calibrates; the second is judged by it, and the test window by both.
    assert len(list((trained / "out/forecaster").glob("window_day_*.npz"))) == 2
    for row in (scores["ours"], scores["ets"]):
        assert all(value is not None and np.isfinite(value) for value in row.values())
    assert scores["ours"]["mase"] < scores["seasonalNaive"]["mase"]
    assert scores["ours"]["wape"] < scores["seasonalNaive"]["wape"]
    assert 0.75 <= scores["ours"]["coverage"] <= 0.85


def test_weekly_sales_give_a_model_of_weeks_alone(tmp_path: Path):
    write_dataset(tmp_path / "data", weekday_sales(8, 40), granularity="week")
    run(tmp_path, {"forecaster": SMALL})
    files = {file.name for file in (tmp_path / "out/forecaster/bundle").iterdir()}
    assert files == {"week.onnx", "features.json"}
    assert evaluate(tmp_path / "data", tmp_path / "out/forecaster")["scores"]["ours"]["mase"] > 0


def test_scores_are_those_of_the_stored_forecasts(tmp_path: Path):
    """One product, 2 and 4 units in turn, then the window 2, 4: every step differs by 2."""
    write_dataset(tmp_path / "data", np.array([[2.0, 4.0] * 10]), granularity="week")
    saved = {"units": [[3.0, 4.0]], "lower": [[2.5, 4.0]], "upper": [[5.0, 4.0]]}
    np.savez(
        tmp_path / "window_week_00018.npz", series=np.array([0]), **{k: np.array(v) for k, v in saved.items()}
    )
    (tmp_path / "data/truth_demand").mkdir()
    truth = table(np.full((1, 20), 3.0), 7).rename(columns={"units": "mean"})
    truth[["date", "product_id", "mean"]].to_parquet(tmp_path / "data/truth_demand/part.parquet")
    scores = evaluate(tmp_path / "data", tmp_path)["scores"]
    expected = {
        "mase": 0.25,
        "backtestMase": 0.25,
        "wape": 1 / 6,
        "bias": 1 / 6,
        "coverage": 0.5,
        "wmae": 0.5,
    }
    assert {name: scores["ours"][name] for name in expected} == pytest.approx(expected)
    # Off by one and by nothing, where the naive forecast was off by two each time.
    assert scores["ours"]["wrmsse"] == pytest.approx(np.sqrt(1 / 2) / 2)
    # Both repeat the last 4; the median of a Poisson mean of 3 is 3.
    assert scores["naive"]["mase"] == scores["seasonalNaive"]["mase"] == pytest.approx(0.5)
    assert scores["movingAverage"]["mase"] == pytest.approx(0.5)
    assert scores["ceiling"]["mase"] == pytest.approx(0.5)


def test_what_is_judged_has_not_seen_the_test_window(monkeypatch: pytest.MonkeyPatch):
    spec, sales = SPECS["day"], golden.shop("day")
    test = train.windows(spec, sales.periods)[-2]
    units, price, promotion, in_stock = (
        getattr(sales, name).copy() for name in ("units", "price", "promotion", "in_stock")
    )
    units[:, test:] = np.random.default_rng(0).poisson(300, units[:, test:].shape)
    price[:, test:], promotion[:, test:], in_stock[:, test:] = 1.0, 1.0, 0.0
    other = replace(sales, units=units, price=price, promotion=promotion, in_stock=in_stock)
    # Few rows, so that which ones are drawn matters: the draw must not depend on the window either.
    monkeypatch.setattr(train, "CALIBRATION_ROWS", 300)
    settings = replace(SETTINGS, rows=1_000, iterations=5)
    one, two = (train.train_granularity(spec, given, settings, seed=1) for given in (sales, other))
    for name in ("units", "lower", "upper"):
        ours, others = (getattr(trained.windows[-1].forecast, name) for trained in (one, two))
        np.testing.assert_array_equal(ours, others)
    assert one.onnx != two.onnx, "what is shipped learns from the window too"


def test_training_twice_gives_the_same_model():
    settings = replace(SETTINGS, rows=1_000, iterations=5)
    first, second = (
        train.train_granularity(SPECS["week"], golden.shop("week"), settings, seed=1) for _ in range(2)
    )
    assert first.onnx == second.onnx
    assert first.calibration == second.calibration


def test_onnx_forecasts_as_the_trained_trees_even_on_their_thresholds():
    rows = model.sample(
        SPECS["day"], golden.shop("day"), 0, 400, 3_000, 28, np.random.default_rng(2), training=True
    )
    fitted = model.fit(rows, SETTINGS, seed=1)
    given = rows.features[:500].copy()
    nodes = fitted[0].trees_to_dataframe().dropna(subset=["split_feature"])[:500]
    at = np.arange(len(nodes)), nodes["split_feature"].str.removeprefix("Column_").astype(int)
    given[at] = nodes["threshold"].astype(np.float32)
    shares = export.trees(export.to_onnx(fitted, given))(given)
    np.testing.assert_allclose(shares, model.predict(fitted, given), rtol=1e-5, atol=1e-5)


def test_an_export_that_forecasts_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch):
    rows = model.sample(
        SPECS["day"], golden.shop("day"), 0, 400, 1_000, 28, np.random.default_rng(2), training=True
    )
    fitted = model.fit(rows, replace(SETTINGS, iterations=2), seed=1)
    monkeypatch.setattr(export, "predict", lambda models, built: model.predict(models, built) * 1.01)
    with pytest.raises(export.ParityError):
        export.to_onnx(fitted, rows.features)


def forecast_next(sales: panel.Panel, granularity: str) -> forecaster.Forecast:
    """What is served after the last period, for every series."""
    spec = SPECS[granularity]
    result = train.train_granularity(spec, sales, SETTINGS, seed=1)
    series = np.arange(len(sales.keys))
    return forecaster.forecast(
        spec, result.calibration, export.trees(result.onnx), sales, series, sales.periods - 1, spec.horizon
    )


def sound(forecast: forecaster.Forecast) -> bool:
    ordered = (forecast.lower >= 0) & (forecast.lower <= forecast.units) & (forecast.units <= forecast.upper)
    return bool(ordered.all() and np.isfinite(forecast.upper).all())


@pytest.mark.parametrize("granularity", ["day", "week"])
def test_constant_sales_are_forecast_to_go_on(granularity: str):
    forecast = forecast_next(shop(np.full((3, 100), 5.0), granularity), granularity)
    assert sound(forecast)
    np.testing.assert_allclose(forecast.units[:3], 5.0, rtol=0.02)


@pytest.mark.parametrize("granularity", ["day", "week"])
def test_a_shop_that_never_sold_is_forecast_to_sell_nothing(granularity: str):
    forecast = forecast_next(shop(np.zeros((3, 60)), granularity), granularity)
    assert sound(forecast)
    np.testing.assert_allclose(forecast.units, 0.0, atol=1e-3)


@pytest.mark.parametrize(("granularity", "periods"), list(train.LEAST_PERIODS.items()))
def test_one_product_over_the_shortest_time_is_enough(granularity: str, periods: int):
    units = np.random.default_rng(3).poisson(4, (1, periods)).astype(float)
    forecast = forecast_next(shop(units, granularity), granularity)
    assert sound(forecast)
    assert 1 < forecast.units.mean() < 8


def test_a_product_without_history_is_forecast_from_its_first_day_on():
    units = np.random.default_rng(3).poisson(4, (4, 80)).astype(float)
    dates = table(units, 1)
    dates = dates[(dates["product_id"] != "p00") | (dates["date"] == dates["date"].max())]
    assert sound(forecast_next(panel.build(dates, "day", {}, {}), "day"))


def test_sales_with_two_fifths_of_their_cells_empty_and_rows_twice_are_forecast_all_the_same():
    rng = np.random.default_rng(5)
    given = table(rng.poisson(4, (6, 90)).astype(float), 1).astype({"promotion": object, "in_stock": object})
    for column in ("units", "price", "promotion", "in_stock"):
        given.loc[rng.random(len(given)) < 0.4, column] = None
    forecast = forecast_next(panel.build(pd.concat([given, given[:50]]), "day", {}, {}), "day")
    assert sound(forecast)
    assert 1 < forecast.units[:6].mean() < 4


def test_the_interval_of_the_shop_is_far_narrower_than_that_of_its_products(trained: Path):
    with np.load(sorted((trained / "out/forecaster").glob("window_day_*.npz"))[-1]) as saved:
        width = (saved["upper"] - saved["lower"]).mean(axis=1) / np.maximum(saved["units"].mean(axis=1), 1)
        assert 0 < width[-1] < 0.5 * np.median(width[:-1])
    scores = evaluate(trained / "data", trained / "out/forecaster")["scores"]
    assert 0.6 <= scores["ours"]["coverageOfSums"] <= 0.95


def test_too_short_a_time_is_skipped_with_a_reason(tmp_path: Path):
    write_dataset(tmp_path / "data", weekday_sales(5, train.LEAST_PERIODS["day"] - 1))
    run(tmp_path, {"forecaster": SMALL})
    assert "too short" in skipped(tmp_path)


def test_a_dataset_without_sales_is_skipped_with_a_reason(tmp_path: Path):
    write_dataset(tmp_path / "data", weekday_sales(5, 7), sales=False)
    run(tmp_path, {})
    assert skipped(tmp_path) == "The dataset has no sales."


def test_a_model_that_was_not_asked_for_is_skipped_and_its_old_bundle_removed(tmp_path: Path):
    old = tmp_path / "out/forecaster/bundle"
    old.mkdir(parents=True)
    (old / "features.json").write_text("{}")
    run(tmp_path, {"models": ["recommender"]})
    assert skipped(tmp_path) == "Not among the models to train."


def test_unknown_parameters_are_refused():
    with pytest.raises(ValueError, match="leafs"):
        train.read_settings({"leafs": 3})
