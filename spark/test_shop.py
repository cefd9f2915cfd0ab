from __future__ import annotations

import re
from datetime import date

import numpy as np
import shop as model
from catalogue import CATEGORIES, STYLE_NAMES, make_catalogue

SHOP = model.make_shop(make_catalogue(60, 3), 200, 120, 40_000, 3, date(2026, 6, 30))


def events_of(block: int) -> tuple[model.Users, model.Events]:
    users = model.make_users(SHOP, block)
    return users, model.make_events(SHOP, users, block)


def test_a_product_is_described_by_its_own_attributes():
    products = make_catalogue(400, 1)
    assert len({product.name for product in products}) == 400
    for product in products:
        # Every measure in the text is one of the attributes' measures.
        facts = " ".join(product.attributes.values())
        for measure in re.findall(r"\d+ (?:cm|mm|m|kg|g|ml)\b", f"{product.name} {product.description}"):
            assert measure in facts, product
        style = product.attributes.get("breathing style")
        named = [name for name in STYLE_NAMES if f"{name.lower()}-style" in product.description]
        assert named in ([], [style]), product
        if product.attributes.get("use") == "display" and "edge" in product.attributes:
            assert "For display only" in product.description
            assert product.attributes["edge"] == "blunt"


def test_names_stay_unique_when_a_large_catalogue_runs_out_of_words():
    products = make_catalogue(8000, 1)
    assert len({product.name for product in products}) == 8000
    assert {product.category_id for product in products} <= {category.id for category in CATEGORIES}
    assert all(re.fullmatch(r"p-\d{5}", product.id) and product.price > 0 for product in products)


def test_a_block_of_users_does_exactly_its_share_of_the_interactions():
    unique = 0
    for block in range(SHOP.user_blocks):
        _, events = events_of(block)
        # Wrong clocks and late arrivals come on top, under sequence numbers of their own.
        in_time = np.abs(events.time // 86_400_000_000 - _epoch_day() - events.recorded) < 1
        unique += len(np.unique(events.sequence[in_time]))
    assert unique == 40_000


def test_views_follow_the_true_preference_of_the_user_and_the_day():
    users = model.make_users(SHOP, 0)
    draws, day = 300_000, 100
    rng = np.random.default_rng(0)
    everything = np.zeros(draws, int), np.full(draws, SHOP.products)
    drawn = model._Sampler(SHOP, users.preference).draw(
        rng, np.full(draws, 5), np.full(draws, day), *everything
    )
    share = np.bincount(drawn, minlength=SHOP.products) / draws
    calendar = model.interest(SHOP, np.arange(SHOP.products), np.full(SHOP.products, day))
    truth = users.preference[5] * calendar
    truth /= truth.sum()
    assert np.abs(share - truth).max() < 5 * np.sqrt(truth.max() / draws)
    assert truth.max() > 0.03  # the user has a taste at all


def test_nothing_is_seen_before_its_launch_or_bought_without_stock():
    _, events = events_of(0)
    normal = np.abs(events.time // 86_400_000_000 - _epoch_day() - events.recorded) < 1
    position, day = events.position[normal], events.recorded[normal]
    # A session that passes midnight belongs to the day before.
    assert (SHOP.launch[position] <= day).all()
    bought = events.kind[normal] == model.PURCHASE
    stocked = model.in_stock(SHOP, position[bought], day[bought])
    stocked |= model.in_stock(SHOP, position[bought], day[bought] - 1)
    assert stocked.all()


def test_every_purchase_was_a_cart_and_every_cart_a_view_first():
    _, events = events_of(1)
    views, carts, purchases = (np.bincount(events.kind, minlength=3)).tolist()
    assert views > carts > purchases > 0


def test_preference_scores_are_probabilities_over_the_products():
    users = model.make_users(SHOP, 1)
    scores = model.preference_scores(SHOP, users, 28)
    assert scores.shape == (len(users.number), SHOP.products)
    assert np.allclose(scores.sum(axis=1), 1)
    late = SHOP.launch >= SHOP.days
    assert (scores[:, late] == 0).all()


def test_units_sold_scatter_around_the_true_mean_and_are_none_without_stock():
    position = np.arange(50)
    mean = model.expected_units(SHOP, position)
    units = model.draw_units(SHOP, 0, position, mean)
    assert (units[mean == 0] == 0).all()
    variance = (mean + mean**2 / SHOP.dispersion[position][:, None]).sum()
    assert abs(units.sum() - mean.sum()) < 4 * np.sqrt(variance)
    # More scatter than a Poisson process has.
    assert ((units - mean) ** 2).sum() > 1.05 * mean.sum()


def _epoch_day() -> int:
    return (SHOP.first - date(1970, 1, 1)).days
