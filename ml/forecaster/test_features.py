"""Features worked out by hand, and that none of them reads the future."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecaster import features, golden, panel
from forecaster.features import SPECS


def rows_of(
    granularity: str, sales: panel.Panel, series: int, origin: int, steps: list[int]
) -> list[dict[str, float]]:
    spec, count = SPECS[granularity], len(steps)
    built, _ = features.build(
        spec, sales, np.full(count, series), np.full(count, origin), np.array(steps, dtype=int)
    )
    return [dict(zip(features.names(spec), row.astype(float), strict=True)) for row in built]


def scale_of(sales: panel.Panel, origin: int, steps: list[int]) -> np.ndarray:
    asked = np.zeros(len(steps), dtype=int), np.full(len(steps), origin), np.array(steps, dtype=int)
    return features.build(SPECS["day"], sales, *asked)[1]


def daily(units: list[float], **columns: object) -> panel.Panel:
    """One product without a category, from a Monday on."""
    table = pd.DataFrame({"date": pd.date_range("2026-01-05", periods=len(units)), "product_id": "p"})
    table = table.assign(units=units, price=None, promotion=None, in_stock=None).assign(**columns)
    return panel.build(table, "day", {}, {})


@pytest.mark.parametrize("granularity", ["day", "week"])
def test_no_feature_reads_past_the_origin(granularity: str):
    sales = golden.shop(granularity)
    origin = sales.periods - 15
    series = np.flatnonzero(sales.first <= origin)
    columns = {}
    for name in ("units", "price", "promotion", "in_stock"):
        changed = getattr(sales, name).copy()
        changed[:, origin + 1 :] = 777.0
        columns[name] = changed
    for step in (1, 7, SPECS[granularity].max_horizon):
        asked = series, np.full(len(series), origin), np.full(len(series), step)
        built, level = features.build(SPECS[granularity], sales, *asked)
        other, other_level = features.build(SPECS[granularity], replace(sales, **columns), *asked)
        np.testing.assert_array_equal(built, other)
        np.testing.assert_array_equal(level, other_level)
        assert np.isfinite(built).all()


def test_aligned_lags_are_the_same_weekday_of_the_last_weeks_that_the_origin_has_seen():
    sales = daily([float(day) for day in range(56)])  # day 55 is a Sunday
    near, far = rows_of("day", sales, 0, 55, [1, 9])
    scales = scale_of(sales, 55, [1, 9])
    assert [near[f"lag_{i}"] * scales[0] for i in (1, 2, 3, 4)] == pytest.approx([49, 42, 35, 28])
    assert near["weekday"] == 0
    # Nine days ahead is a Tuesday; the last one seen is day 50.
    assert [far[f"lag_{i}"] * scales[1] for i in (1, 2, 3, 4)] == pytest.approx([50, 43, 36, 29])
    assert (far["weekday"], far["step"]) == (1, 9)


def test_the_level_halves_what_is_a_half_life_older_but_is_not_below_half_the_long_mean():
    assert scale_of(daily([4.0] * 120), 119, [1]) == pytest.approx([4.0])
    # Of a long series the last 28 days weigh as much as all before them.
    rising = scale_of(daily([0.0] * 154 + [4.0] * 28), 181, [7])[0]
    whole = (1 - 0.5 ** (28 / 28)) / (1 - 0.5 ** (182 / 28))
    assert rising == pytest.approx(4 * whole)
    resting = scale_of(daily([4.0] * 63 + [0.0] * 119), 181, [1])
    assert resting > 4 * 0.5 ** (119 / 28) * 0.5
    assert scale_of(daily([0.0] * 91), 90, [1]) == pytest.approx([1 / 91])


def test_levels_and_medians_leave_out_promoted_and_sold_out_days():
    units, promoted, stocked = [2.0] * 30, [False] * 30, [True] * 30
    units[-3], promoted[-3] = 16.0, True
    units[-6:-3], stocked[-6:-3] = [0.0] * 3, [False] * 3
    sales = daily(units, promotion=promoted, in_stock=stocked)
    row = rows_of("day", sales, 0, 29, [1])[0]
    level = np.expm1(row["level"])
    # The rhythm of so few sales is not quite flat.
    assert level == pytest.approx(2.0, rel=0.05)
    assert row["median_28"] * level == pytest.approx(2.0, rel=0.05)
    assert row["promotion_share"] == pytest.approx(1 / 28)
    assert row["out_share"] == pytest.approx(3 / 28)
    assert (row["promotion"], row["out"]) == (0, 0)
    there = rows_of("day", sales, 0, 26, [1])[0]
    assert (there["promotion"], there["out"]) == (0, 3)


def test_a_products_rhythm_is_its_own_once_it_has_sold_enough():
    """Tuesdays sell double in the shop, Fridays in a small product that is too small to show it."""
    days = np.arange(182)
    tables = [
        pd.DataFrame(
            {
                "date": pd.date_range("2026-01-05", periods=182),
                "product_id": name,
                "units": size * np.where(days % 7 == best, 2.0, 1.0),
            }
        )
        for name, size, best in (("big", 100.0, 1), ("small", 0.01, 4), ("own", 50.0, 4))
    ]
    sales = panel.build(pd.concat(tables).assign(price=None, promotion=None, in_stock=None), "day", {}, {})
    tuesday, friday = 2, 5  # steps after a Sunday
    profiles = [
        [row["profile"] for row in rows_of("day", sales, series, 181, [tuesday, friday])]
        for series in range(3)
    ]
    names = [key for _, key in sales.keys[:3]]
    assert profiles[names.index("big")][0] > 1.7
    assert profiles[names.index("small")][0] > profiles[names.index("small")][1]
    assert profiles[names.index("own")][1] > 1.7 > profiles[names.index("own")][0]


def test_the_pace_is_that_of_the_category():
    dates = pd.date_range("2026-01-05", periods=100)
    rising = pd.DataFrame({"date": dates, "product_id": "a", "units": [10.0] * 93 + [20.0] * 7})
    steady = pd.DataFrame({"date": dates, "product_id": "b", "units": 10.0})
    table = pd.concat([rising, steady]).assign(price=None, promotion=None, in_stock=None)
    apart = panel.build(table, "day", {"a": "x", "b": "y"}, {})
    assert rows_of("day", apart, 0, 99, [1])[0]["pace"] > 1.15
    assert rows_of("day", apart, 1, 99, [1])[0]["pace"] == pytest.approx(1.0, rel=1e-3)


def test_a_product_without_price_flags_or_a_year_of_history_takes_neutral_values():
    row = rows_of("day", daily([1.0, 3.0]), 0, 1, [1])[0]
    assert (row["price_ratio"], row["year"], row["promotion"], row["out"]) == (1, 1, 0, 0)
    assert row["lag_1"] == row["lag_4"] == 1


def test_categories_hold_the_sales_of_all_products_below_them_and_the_shop_those_of_all():
    dates = pd.date_range("2026-01-05", periods=3)
    tables = [
        pd.DataFrame({"date": dates[begin:], "product_id": name, "units": units})
        for name, begin, units in (("a", 0, [1.0, 2.0, 3.0]), ("b", 1, [10.0, 20.0]), ("c", 0, [5.0] * 3))
    ]
    table = pd.concat(tables).assign(price=None, promotion=None, in_stock=None)
    sales = panel.build(table, "day", {"a": "top", "b": "below"}, {"below": "top", "top": None})
    row = {key: i for i, key in enumerate(sales.keys)}
    assert sales.units[row["category", "top"]].tolist() == [1.0, 12.0, 23.0]
    np.testing.assert_array_equal(sales.units[row["category", "below"]], [np.nan, 10.0, 20.0])
    assert sales.units[sales.shop].tolist() == [6.0, 17.0, 28.0]
    assert sales.category[row["category", "below"]] == row["category", "top"]
    assert sales.category[row["product", "c"]] == sales.shop
