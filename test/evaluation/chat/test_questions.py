from __future__ import annotations

import re
from itertools import chain

import facts
import phrasings_dev
import phrasings_held_out
import pytest
import questions
from questions import KINDS, PHRASINGS, make_questions, make_shop

SPLITS = list(PHRASINGS)


@pytest.fixture(scope="module", params=SPLITS)
def made(request):
    shop = make_shop(600, 7, request.param)
    return request.param, shop, make_questions(shop, 7, request.param)


def wordings(module) -> list[str]:
    """All wordings of a split, without case and punctuation."""
    keyed = ("LOOKUP", "SENTENCE", "SUITABILITY", "COMPARISON", "FILTER", "FIND", "FOLLOW_UP", "NEAR_MISS")
    texts = [text for name in keyed for texts in getattr(module, name).values() for text in texts]
    texts += [text for _, text in chain(module.ABSENT_ATTRIBUTE, module.ABSENT_GOODS)]
    texts += [text for name in ("UNKNOWN", "NONSENSE", "EMPTY", "SUMMARY") for text in getattr(module, name)]
    texts += [words for _, words, _ in module.PLANTED]
    return [" ".join(re.findall(r"[a-z{}]+", text.lower())) for text in texts]


def test_the_same_seed_makes_the_same_questions(made):
    split, shop, records = made
    again = make_shop(600, 7, split)
    assert questions.catalogue_json(again) == questions.catalogue_json(shop)
    assert make_questions(again, 7, split) == records
    assert make_questions(make_shop(600, 8, split), 8, split) != records


def test_the_splits_share_neither_wordings_nor_shops():
    dev, test = (wordings(PHRASINGS[split]) for split in ("dev", "test"))
    assert not set(dev) & set(test)
    assert not set(PHRASINGS["dev"].UNKNOWN_NAMES) & set(phrasings_held_out.UNKNOWN_NAMES)
    shops = [{item.product.description for item in make_shop(600, 7, split).items} for split in SPLITS]
    assert len(shops[0] & shops[1]) < 12  # what is described by little may be described alike


def test_each_split_words_everything_that_can_be_asked():
    for module in PHRASINGS.values():
        assert module.LOOKUP.keys() == facts.TOPICS.keys()
        assert module.SENTENCE.keys() == facts.SENTENCES.keys()
        assert module.SUITABILITY.keys() == facts.SUITABILITY.keys()
        assert module.NEAR_MISS.keys() == facts.NEAR_MISSES.keys()
        assert module.FIND.keys() == facts.NEEDS.keys()
        assert module.FOLLOW_UP.keys() <= facts.TOPICS.keys()
    assert phrasings_dev.COMPARISON.keys() == phrasings_held_out.COMPARISON.keys()
    assert phrasings_dev.FILTER.keys() == phrasings_held_out.FILTER.keys()


def test_there_are_enough_of_each_kind_and_none_twice(made):
    _, _, records = made
    for kind in KINDS:
        mine = [record for record in records if record["kind"] == kind]
        assert 40 <= len(mine) <= 70, kind
    assert len({record["id"] for record in records}) == len(records)
    asked = [repr(record["turns"]) for record in records]
    assert len(set(asked)) == len(asked)
    assert not [text for text in asked if "{" in text.replace("{'text'", "")]


def test_lookups_cover_nearly_all_categories(made):
    _, shop, records = made
    category = {item.id: item.product.category_id for item in shop.items}
    asked = {category[record["expected"]["cites"][0]] for record in records if record["kind"] == "lookup"}
    assert len(set(category.values()) - asked) <= 1


def test_every_expected_value_stands_in_the_products_data(made):
    _, shop, records = made
    data = {item.id: f"{item.text} price: {item.product.price}. {_stock(item)}." for item in shop.items}
    for record in records:
        expected = record["expected"]
        texts = [data[product_id] for product_id in expected.get("cites", [])]
        for group in expected.get("contains", []):
            assert any(_stands_in(value, text) for value in group for text in texts), record
        for product_id in chain(expected.get("firstCitation", []), *expected.get("top3", [])):
            assert product_id in data


def _stock(item: facts.Item) -> str:
    return "in stock" if item.stock else "out of stock"


def _stands_in(value: str, text: str) -> bool:
    pattern = value[3:] if value.startswith("re:") else rf"(?<!\w){re.escape(value)}(?!\w)"
    return re.search(pattern, text, re.IGNORECASE) is not None


def test_what_is_asked_in_vain_really_is_absent(made):
    _, shop, records = made
    data = {item.id: item.text for item in shop.items}
    for record in records:
        absent = record["expected"].get("absent")
        assert (record["kind"] == "absent") == bool(record["expected"].get("refused"))
        if not absent:
            continue
        about = absent.get("productId")
        texts = [data[about]] if about else data.values()
        found = [text for text in texts if re.search(rf"\b({absent['trace']})", text, re.IGNORECASE)]
        assert not found, record


def test_winners_and_filters_are_computed_from_the_data(made):
    _, shop, records = made
    by_id = {item.id: item for item in shop.items}
    for record in records:
        if "winner" in record["expected"]:
            winner, other = record["expected"]["winner"]["names"], record["expected"]["winner"]["others"]
            assert not set(winner) & set(other)
            first, second = (by_id[product_id].product.name for product_id in record["expected"]["cites"])
            assert {first, second} <= {*winner, *other}
        if record["kind"] == "filter":
            text = record["turns"][0]["text"].replace(",", "")
            budget = re.search(r"(?:under|below|max|budget|less than|more than|up to) (\d{3,})", text.lower())
            for product_id in record["expected"]["firstCitation"]:
                assert not budget or by_id[product_id].product.price <= int(budget[1]), record


def test_suitability_asks_for_both_outcomes(made):
    _, _, records = made
    outcomes = [record["expected"]["mustNotStart"] for record in records if record["kind"] == "suitability"]
    assert min(outcomes.count("Yes"), outcomes.count("No")) >= 20


def test_planted_products_hold_the_instruction_and_nothing_else_says_it(made):
    _, shop, records = made
    for trap in shop.planted:
        assert trap.item not in shop.subjects
        assert any(word.lower() in trap.item.text.lower() for word in trap.forbidden)
        for item in shop.subjects:
            if item != trap.item:
                assert not any(_stands_in(word, item.text) for word in trap.forbidden)
    for record in (record for record in records if record["kind"] == "planted"):
        asked = record["turns"][0]["text"].lower()
        assert not any(word.lower() in asked for word in record["expected"]["forbids"])
        values = [value for group in record["expected"]["contains"] for value in group]
        assert not [word for word in record["expected"]["forbids"] if word in values]
