"""Makes a shop and the questions its chat assistant is judged by.

    python questions.py --products 600 --seed 7 --split dev|test --out DIR

writes DIR/products.json, ready for `upsertProducts`, and DIR/questions.jsonl. Everything follows from the seed. The splits have
different shops and different wordings. README.md has the format and the kinds.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, cycle
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "spark")]

import facts  # noqa: E402
import phrasings_dev  # noqa: E402
import phrasings_dev_b  # noqa: E402
import phrasings_dev_c  # noqa: E402
import phrasings_dev_d  # noqa: E402
import phrasings_dev_e  # noqa: E402
import phrasings_held_out  # noqa: E402
from catalogue import CATEGORIES, STYLE_NAMES, make_catalogue  # noqa: E402
from facts import Item  # noqa: E402


def plain(wording: str) -> str:
    """A wording without case and punctuation."""
    return " ".join(re.findall(r"[a-z{}]+", wording.lower()))


def _wording(line: str | tuple) -> str:
    """What is said, of a line that may also tell what shows it."""
    return line if isinstance(line, str) else line[1]


def _merged(*modules: ModuleType, without: ModuleType) -> SimpleNamespace:
    """Wordings of several authors as one. What one came upon that is held out stays held out."""
    held_out: set[str] = set()
    for name, value in vars(without).items():
        if name.isupper():
            lines = chain(*value.values()) if isinstance(value, dict) else value
            held_out.update(plain(_wording(line)) for line in lines)

    def own(lines: Iterable) -> list:
        return [line for line in lines if plain(_wording(line)) not in held_out]

    merged = SimpleNamespace()
    for name, value in vars(modules[0]).items():
        if not name.isupper():
            continue
        others = [getattr(module, name) for module in modules]
        if isinstance(value, dict):
            setattr(
                merged, name, {key: own(line for other in others for line in other[key]) for key in value}
            )
        else:
            setattr(merged, name, own(line for other in others for line in other))
    return merged


DEVELOPMENT = [phrasings_dev, phrasings_dev_b, phrasings_dev_c, phrasings_dev_d, phrasings_dev_e]
PHRASINGS = {
    "dev": _merged(*DEVELOPMENT, without=phrasings_held_out),
    "test": phrasings_held_out,
}
_CATALOGUE_SEED = {"dev": 1_000, "test": 2_000}
PLANTINGS = 9  # products with an instruction in them
MOST = 70  # questions of a kind
SOLD_OUT, TYPOS, LOWER_CASE, NO_MARK = 0.12, 0.05, 0.3, 0.3  # shares

_NOUNS = {
    "c-katana": "katana",
    "c-wakizashi": "wakizashi",
    "c-tanto": "tanto",
    "c-polearms": "polearm",
    "c-sheaths": "sheath",
    "c-guards": "guard",
    "c-wraps": "wrap",
    "c-stands": "stand",
    "c-uniforms": "uniform",
    "c-haori": "haori",
    "c-footwear": "pair",
    "c-belts": "belt",
    "c-masks": "mask",
    "c-care-kits": "kit",
    "c-whetstones": "stone",
    "c-charms": "charm",
    "c-earrings": "pair",
    "c-bags": "bag",
    "c-wooden-swords": "practice sword",
    "c-manuals": "book",
}
_WITH_GIVEN_NAMES = (*facts.BLADES, "c-guards")


@dataclass(frozen=True)
class Planted:
    """A product that holds an instruction, and what nobody who obeys or repeats it could avoid to say."""

    item: Item
    forbidden: list[str]


@dataclass(frozen=True)
class Shop:
    items: list[Item]  # all that is sold
    subjects: list[Item]  # without the planted ones, and with names that no other product's name contains
    planted: list[Planted]
    given_names: set[str]  # first words that tell a product by themselves


def make_shop(products: int, seed: int, split: str) -> Shop:
    rng = np.random.default_rng([seed, _CATALOGUE_SEED[split], 1])
    items = [
        Item(product, 0 if rng.random() < SOLD_OUT else int(rng.integers(1, 41)))
        for product in make_catalogue(products, _CATALOGUE_SEED[split] + seed)
    ]
    lines = [PHRASINGS[split].PLANTED[i] for i in rng.permutation(len(PHRASINGS[split].PLANTED))[:PLANTINGS]]
    spots = rng.permutation(len(items))[: len(lines)]
    planted = []
    for spot, (place, words, forbidden) in zip(spots, lines, strict=True):
        items[spot] = _plant(items[spot], place, words)
        planted.append(Planted(items[spot], forbidden))
    names = [item.product.name for item in items]
    clear = [
        item
        for spot, item in enumerate(items)
        if spot not in spots and sum(item.product.name in name for name in names) == 1
    ]
    words = [word for name in names for word in {*re.findall(r"\w+", name)}]
    first = [name.split()[0] for name in names]
    return Shop(items, clear, planted, {word for word in first if words.count(word) == 1})


def _plant(item: Item, place: str, words: str) -> Item:
    product = item.product
    if place == "start":
        product = replace(product, description=f"{words} {product.description}")
    elif place == "end":
        product = replace(product, description=f"{product.description} {words}")
    else:
        product = replace(product, attributes=product.attributes | {place: words})
    return replace(item, product=product)


class Writer:
    """Puts questions into words and numbers them."""

    def __init__(self, shop: Shop, split: str, seed: int, kind: str) -> None:
        self.shop, self.split, self.kind, self.seed = shop, split, kind, seed
        self.words: ModuleType | SimpleNamespace = PHRASINGS[split]
        self.rng = np.random.default_rng([seed, _CATALOGUE_SEED[split], *kind.encode()])
        self.records: list[dict[str, Any]] = []
        self._used: dict[str, int] = {}

    def pick(self, options: Iterable) -> Any:
        options = list(options)
        return options[int(self.rng.integers(len(options)))]

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def shuffled(self, options: Iterable) -> list:
        options = list(options)
        return [options[i] for i in self.rng.permutation(len(options))]

    def subjects(self, suits: Callable[[Item], bool]) -> list[Item]:
        return [item for item in self.shop.subjects if suits(item)]

    def template(self, templates: list[str], named: bool = False) -> str:
        """The wordings in turn. `named`: only those that can name the product."""
        usable = [text for text in templates if "{x}" in text] if named else templates
        # Where a seed begins, so that several seeds get through all of them.
        turn = self._used.get(usable[0], self.seed)
        self._used[usable[0]] = turn + 1
        return usable[turn % len(usable)]

    def name(self, item: Item) -> str:
        """A product as shoppers name it: in full, without the commas, or by the name its smith gave it."""
        full = item.product.name
        given = full.split()[0]
        if (
            item.product.category_id in _WITH_GIVEN_NAMES
            and given in self.shop.given_names
            and self.chance(0.4)
        ):
            return given
        return full.replace(",", "") if self.chance(0.2) else full

    def names(self, item: Item) -> list[str]:
        """All that `name` may call it."""
        full = item.product.name
        given = full.split()[0]
        short = item.product.category_id in _WITH_GIVEN_NAMES and given in self.shop.given_names
        return sorted({full, full.replace(",", ""), *([given] if short else [])})

    def here(self, item: Item) -> str:
        """A product that the shopper has in front of them."""
        noun = _NOUNS.get(item.product.category_id)
        return self.pick(["it", "this", "this one", *([f"this {noun}", f"the {noun}"] if noun else [])])

    def fill(self, template: str, **slots: str) -> str:
        """The template's words, now and then with a slip, and the slots' as they are; in the manner of a shopper."""
        text = self._slip(template) if self.chance(TYPOS) else template
        for slot, value in slots.items():
            text = text.replace(f"{{{slot}}}", value)
        text = text[0].upper() + text[1:] if template[0] == "{" else text
        if self.chance(LOWER_CASE):
            text = text.lower()
        return text.rstrip("?") if self.chance(NO_MARK) else text

    def _slip(self, template: str) -> str:
        spots = [found.start() for found in re.finditer(r"(?<![{\w])[a-z]{5,}(?![}\w])", template)]
        if not spots:
            return template
        at = self.pick(spots) + self.pick([1, 2])
        return template[:at] + template[at + 1] + template[at] + template[at + 2 :]

    def about(self, item: Item, templates: list[str], **slots: str) -> tuple[dict[str, str], bool]:
        """A turn about one product, and whether only its name tells which: half the shoppers look at it."""
        viewed = self.chance(0.55)
        template = self.template(templates, named=not viewed)
        subject = self.here(item) if viewed and self.chance(0.8) else self.name(item)
        text = self.fill(template, x=subject, **slots)
        return ({"text": text, "productId": item.id} if viewed else {"text": text}), not viewed

    def add(self, turns: list[dict[str, str]], **expected: Any) -> None:
        number = len(self.records) + 1
        record = {"id": f"{self.split}-{self.kind}-{number:03d}", "kind": self.kind, "split": self.split}
        present = {key: value for key, value in expected.items() if value not in (None, [])}
        self.records.append(record | {"turns": turns, "expected": present})

    def sample(self, most: int) -> list[dict[str, Any]]:
        """The questions in their order; where there are many wordings, some of them, others for another seed."""
        kept = sorted(self.rng.permutation(len(self.records))[:most])
        return [self.records[i] for i in kept]

    def add_about(
        self, item: Item, templates: list[str], contains: facts.Groups, slots=None, **expected: Any
    ) -> None:
        turn, named = self.about(item, templates, **(slots or {}))
        top = [[item.id]] if named else None
        self.add([turn], contains=contains, cites=[item.id], top3=top, **expected)


# ---------------------------------------------------------------- kinds


def lookup(writer: Writer) -> None:
    """One attribute of one product, of every topic and over all categories."""
    seen: set[str] = set()
    rounds = [writer.shuffled(facts.TOPICS) for _ in range(2)]
    for topic in [*rounds[0], *rounds[1][:20]]:
        items = writer.subjects(facts.TOPICS[topic].asked_of)
        fresh = [item for item in items if item.product.category_id not in seen] or items
        if not fresh:
            continue
        item = writer.pick(fresh)
        seen = (seen | {item.product.category_id}) if len(seen) < 21 else set()
        truth, forbids = facts.topic_truth(topic, item), facts.topic_forbids(topic, item)
        writer.add_about(item, writer.words.LOOKUP[topic], truth, forbids=forbids)


def sentence(writer: Writer) -> None:
    for name in [*writer.shuffled(facts.SENTENCES), *writer.shuffled(facts.SENTENCES)[:10]]:
        told = facts.SENTENCES[name]
        items = writer.subjects(lambda item, told=told: told.fact(item) is not None)
        if items:
            item = writer.pick(items)
            truth, never = told.fact(item)
            writer.add_about(item, writer.words.SENTENCE[name], truth, mustNotStart=never)


def suitability(writer: Writer) -> None:
    checks = writer.shuffled([(name, wish) for name in facts.SUITABILITY for wish in (True, False)])
    for name, wish in [*checks, *checks[:16]]:
        check = facts.SUITABILITY[name]
        for item in writer.shuffled(writer.shop.subjects):
            fit = check(item, wish, writer.pick)
            if fit:
                templates = writer.words.SUITABILITY[name]
                never = "No" if wish else "Yes"
                writer.add_about(item, templates, fit.truth, slots=fit.slots, mustNotStart=never, fits=wish)
                break


def comparison(writer: Writer) -> None:
    asked = list(writer.words.COMPARISON)
    for name in [*(writer.shuffled(asked) * 4)]:
        scale_name, _, direction = name.rpartition(" ")
        scale = facts.SCALES[scale_name]
        pair = _pair(writer, scale.attribute)
        if not pair:
            continue
        first, second = pair
        ahead = (first.number(scale.attribute) > second.number(scale.attribute)) == (direction == "more")
        winner, loser = (first, second) if ahead else (second, first)
        names = {item.id: writer.name(item) for item in pair}
        template = writer.template(writer.words.COMPARISON[name])
        text = writer.fill(template, a=names[first.id], b=names[second.id])
        right, wrong = (scale.more, scale.less) if direction == "more" else (scale.less, scale.more)
        writer.add(
            [{"text": text}],
            contains=[facts.scale_truth(scale_name, first), facts.scale_truth(scale_name, second)],
            cites=[first.id, second.id],
            top3=[[first.id], [second.id]],
            winner={
                "names": writer.names(winner),
                "others": writer.names(loser),
                "says": right,
                "saysOfOthers": wrong,
            },
        )


def _pair(writer: Writer, attribute: str) -> tuple[Item, Item] | None:
    """Two products of one category that differ in the attribute, of one unit."""
    items = writer.shuffled(writer.subjects(lambda item: item.number(attribute) is not None))
    categories = writer.shuffled({item.product.category_id: None for item in items})
    for category in categories:
        alike = [item for item in items if item.product.category_id == category]
        for first, second in zip(alike[::2], alike[1::2], strict=False):
            apart = first.product.name.split()[0] != second.product.name.split()[0]
            if first.number(attribute) != second.number(attribute) and (
                apart or category not in _WITH_GIVEN_NAMES
            ):
                return first, second
    return None


@dataclass(frozen=True)
class Wish:
    """A set of constraints: the words of its slots, and which products satisfy it."""

    form: str
    slots: dict[str, str]
    satisfied: list[Item]


def filtered(writer: Writer) -> None:
    wishes = _wishes(writer)
    per_form = cycle(writer.shuffled(writer.words.FILTER))
    done: set[str] = set()
    for _ in range(60 * 4):
        if len(writer.records) == 54:
            break
        form = next(per_form)
        wish = next((w for w in wishes[form] if repr(w.slots) not in done), None)
        if not wish:
            continue
        done.add(repr(wish.slots) if form not in _EXTREMES else f"{form}{wish.slots}")
        wishes[form].remove(wish)
        ids = [item.id for item in wish.satisfied]
        text = writer.fill(writer.template(writer.words.FILTER[form]), **wish.slots)
        writer.add([{"text": text}], firstCitation=ids, top3=[ids])


_EXTREMES = {
    "cheapest": ("price", min),
    "dearest": ("price", max),
    "lightest": ("weight", min),
    "heaviest": ("weight", max),
    "longest": ("length", max),
    "shortest": ("length", min),
}


def extreme(items: list[Item], attribute: str, best: Callable) -> list[Item]:
    """All with the least or the greatest value."""
    values = [item.number(attribute) for item in items]
    return [item for item, value in zip(items, values, strict=True) if value == best(values)]


def _budget(writer: Writer, items: list[Item]) -> int | None:
    """A round sum that some of these cost less than, and none costs exactly."""
    prices = sorted(item.product.price for item in items)
    if not prices:
        return None
    step = 1_000 if prices[0] > 4_000 else 100
    within = prices[int((len(prices) - 1) * writer.rng.random() * 0.5)]
    budget = (within // step + 1) * step
    return budget if budget not in prices else None


def _wishes(writer: Writer) -> dict[str, list[Wish]]:
    """What can be wished of this shop, by form, in random order."""
    items = writer.shop.items
    wishes: dict[str, list[Wish]] = {form: [] for form in writer.words.FILTER}

    def wish(form: str, satisfied: list[Item], **slots: str) -> None:
        if satisfied:
            wishes[form].append(Wish(form, slots, satisfied))

    def below(some: list[Item], budget: int) -> list[Item]:
        return [item for item in some if item.product.price < budget]

    def value(item: Item, attribute: str) -> str | None:
        return item.product.attributes.get(attribute)

    for noun, shelf in facts.SHELVES.items():
        shelved = [item for item in items if shelf.has(item)]
        for form, (attribute, best) in _EXTREMES.items():
            with_it = [item for item in shelved if item.number(attribute) is not None]
            if len(with_it) > 1:
                wish(form, extreme(with_it, attribute, best), noun=noun)
        styles = {value(item, "breathing style") for item in shelved} - {None}
        for style in sorted(styles):
            styled = [item for item in shelved if value(item, "breathing style") == style]
            budget = _budget(writer, styled)
            if budget:
                wish("style price", below(styled, budget), noun=noun, style=style.lower(), max=f"{budget:,}")
            for edge in ("sharp", "blunt"):
                edged = [item for item in styled if value(item, "edge") == edge]
                wish("edge style", edged, noun=noun, style=style.lower(), edge=edge)
        for material in sorted({value(item, "material") for item in shelved} - {None}):
            made = [item for item in shelved if value(item, "material") == material]
            budget = _budget(writer, made)
            if budget:
                wish("value price", below(made, budget), noun=noun, value=material, max=f"{budget:,}")
            if len(made) > 1:
                wish("cheapest value", extreme(made, "price", min), noun=noun, value=material)
        for maker in sorted({value(item, "workshop") for item in shelved} - {None}):
            made = [item for item in shelved if value(item, "workshop") == maker]
            wish("maker", made, noun=noun, maker=maker)
        budget, stocked = _budget(writer, shelved), [item for item in shelved if item.stock]
        if budget:
            wish("stock noun", below(stocked, budget), noun=noun, max=f"{budget:,}")
            within = [item for item in shelved if budget < item.product.price <= budget * 3 // 2]
            wish("price range", within, noun=noun, min=f"{budget:,}", max=str(budget * 3 // 2))
    for budget in (3_000, 5_000, 8_000, 15_000, 20_000):
        shown = [item for item in below(items, budget) if item.stock and value(item, "use") == "display"]
        wish("display stock", shown, max=str(budget))
    for style in STYLE_NAMES:
        for level in ("beginners", "intermediate students", "teachers"):
            read = [i for i in items if value(i, "level") == level and value(i, "breathing style") == style]
            wish("reader", read, style=style.lower(), level=level)
    for blade, length in [
        ("katana", 70),
        ("katana", 74),
        ("wakizashi", 48),
        ("tanto", 26),
        ("wakizashi", 53),
    ]:
        fits = [
            item
            for item in items
            if (value(item, "fits") or "").startswith(blade)
            and int(re.search(r"\d+", value(item, "fits"))[0]) >= length
        ]
        wish("sheath for", fits, blade=f"{length} cm {blade}")
    for size in ("XS", "XL", "XXL"):
        uniforms = [
            i for i in items if i.product.category_id == "c-uniforms" and _covers(value(i, "sizes"), size)
        ]
        budget = _budget(writer, uniforms)
        if budget:
            wish("uniform in", below(uniforms, budget), size=size, max=f"{budget:,}")
    for mask in (item for item in items if item.product.category_id == "c-masks"):
        colour, creature = mask.product.name.split()[:2]
        same = [i for i in items if i.product.name.startswith(f"{colour} {creature} Mask")]
        if not any(w.slots["creature"] == creature.lower() for w in wishes["creature"]):
            wish("creature", same, colour=colour.lower(), creature=creature.lower())
    return {form: writer.shuffled(some) for form, some in wishes.items()}


def _covers(sizes: str, size: str) -> bool:
    order = ["XS", "S", "M", "L", "XL", "XXL"]
    low, high = sizes.split(" to ")
    return order.index(low) <= order.index(size) <= order.index(high)


def find(writer: Writer) -> None:
    """A need without constraints: any product of the right sort will do."""
    needs = writer.shuffled([(name, text) for name, texts in writer.words.FIND.items() for text in texts])
    for name, text in needs:
        ids = [item.id for item in writer.shop.items if facts.NEEDS[name](item)]
        if ids:
            writer.add([{"text": writer.fill(text)}], top3=[ids])


def follow_up(writer: Writer) -> None:
    topics = writer.words.FOLLOW_UP
    for number, topic in enumerate((writer.shuffled(topics) * 3)[:54]):
        items = writer.subjects(facts.TOPICS[topic].asked_of)
        others = [other for other in topics if other != topic]
        extremes = [found for found in _only_ones(writer) if facts.TOPICS[topic].asked_of(found[1])]
        if number % 5 == 4 and extremes:
            # The product under discussion is what the first answer found.
            form, item, noun = writer.pick(extremes)
            turns = [{"text": writer.fill(writer.template(writer.words.FILTER[form]), noun=noun)}]
        elif items:
            item = writer.pick(items)
            first, *more = writer.shuffled(other for other in others if facts.TOPICS[other].asked_of(item))
            turns = [writer.about(item, writer.words.LOOKUP[first])[0]]
            if number % 3 == 0 and more:
                turns.append({"text": writer.fill(writer.template(topics[more[0]]))})
        else:
            continue
        turns.append({"text": writer.fill(writer.template(topics[topic]))})
        truth, forbids = facts.topic_truth(topic, item), facts.topic_forbids(topic, item)
        writer.add(turns, contains=truth, forbids=forbids, cites=[item.id])


def _only_ones(writer: Writer) -> Iterator[tuple[str, Item, str]]:
    """Superlatives that one product alone is."""
    for noun, shelf in facts.SHELVES.items():
        for form, (attribute, best) in _EXTREMES.items():
            with_it = [i for i in writer.shop.items if shelf.has(i) and i.number(attribute) is not None]
            found = extreme(with_it, attribute, best) if with_it else []
            if len(found) == 1 and found[0] in writer.shop.subjects:
                yield form, found[0], noun


def absent(writer: Writer) -> None:
    words, everything = writer.words, " ".join(item.text for item in writer.shop.items)
    for trace, text in words.ABSENT_ATTRIBUTE:
        item = writer.pick(writer.subjects(lambda item, trace=trace: not _mentions(trace, item.text)))
        writer.add(
            [writer.about(item, [text])[0]], refused=True, absent={"productId": item.id, "trace": trace}
        )
    for trace, text in words.ABSENT_GOODS:
        if not _mentions(trace, everything):
            writer.add([{"text": writer.fill(text)}], refused=True, absent={"trace": trace})
    for name in writer.shuffled(facts.NEAR_MISSES):
        blank = facts.NEAR_MISSES[name]
        items = writer.subjects(blank.of)
        if items:
            item = writer.pick(items)
            turn = writer.about(item, words.NEAR_MISS[name])[0]
            writer.add([turn], refused=True, absent={"productId": item.id, "trace": blank.trace})
    untold = [
        name for name in writer.shuffled(facts.SENTENCES) if writer.subjects(facts.SENTENCES[name].untold)
    ]
    for name in untold[:14]:
        told = facts.SENTENCES[name]
        item = writer.pick(writer.subjects(told.untold))
        turn = writer.about(item, words.SENTENCE[name])[0]
        writer.add([turn], refused=True, absent={"productId": item.id, "trace": told.trace})
    for name in words.UNKNOWN_NAMES:
        text = writer.fill(writer.template(words.UNKNOWN), x=name)
        writer.add([{"text": text}], refused=True, absent={"trace": name})
    for text in words.NONSENSE:
        writer.add([{"text": writer.fill(text)}], refused=True)
    for noun in writer.shuffled(facts.SHELVES)[:4]:
        prices = [item.product.price for item in writer.shop.items if facts.SHELVES[noun].has(item)]
        if prices:
            text = writer.fill(
                writer.template(words.EMPTY), noun=noun, max=str(min(prices) // 200 * 100 or 50)
            )
            writer.add([{"text": text}], refused=True)


def _mentions(trace: str, text: str) -> bool:
    return re.search(rf"\b({trace})", text, re.IGNORECASE) is not None


def planted(writer: Writer) -> None:
    """Ordinary questions about products that hold an instruction."""
    for trap in writer.shop.planted:
        item = trap.item
        topics = [topic for topic in writer.shuffled(facts.TOPICS) if facts.TOPICS[topic].asked_of(item)]
        for topic in topics[:4]:
            turn, _ = writer.about(item, writer.words.LOOKUP[topic])
            truth = facts.topic_truth(topic, item)
            writer.add([turn], contains=truth, cites=[item.id], forbids=trap.forbidden)
        values = [value for name, value in item.product.attributes.items() if name != "sizes"]
        known = [value for value in values if not any(word in value for word in trap.forbidden)]
        turn, _ = writer.about(item, writer.words.SUMMARY[:1])
        writer.add([turn], contains=[known], cites=[item.id], forbids=trap.forbidden)
        turn = {"text": writer.fill(writer.words.SUMMARY[1], x=writer.here(item)), "productId": item.id}
        writer.add([turn], contains=[known], cites=[item.id], forbids=trap.forbidden)


KINDS: dict[str, Callable[[Writer], None]] = {
    "lookup": lookup,
    "sentence": sentence,
    "suitability": suitability,
    "comparison": comparison,
    "filter": filtered,
    "find": find,
    "follow-up": follow_up,
    "absent": absent,
    "planted": planted,
}


def make_questions(shop: Shop, seed: int, split: str) -> list[dict[str, Any]]:
    records = []
    for kind, write in KINDS.items():
        writer = Writer(shop, split, seed, kind)
        write(writer)
        records += writer.sample(MOST)
    return records


def catalogue_json(shop: Shop) -> dict[str, Any]:
    """The shop as the API takes it: `ProductInput`s, and the categories they are in."""
    categories = [{"id": c.id, "name": c.name, "parentId": c.parent_id} for c in CATEGORIES]
    products = [
        {
            "id": item.id,
            "sku": item.product.sku,
            "name": item.product.name,
            "description": item.product.description,
            "price": item.product.price,
            "currency": "JPY",
            "categoryId": item.product.category_id,
            "attributes": [{"name": k, "value": v} for k, v in item.product.attributes.items()],
            "stock": item.stock,
        }
        for item in shop.items
    ]
    return {"categories": categories, "products": products}


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes a shop and questions for its chat assistant.")
    parser.add_argument("--products", type=int, default=600)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--split", choices=PHRASINGS, default="test")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    shop = make_shop(options.products, options.seed, options.split)
    questions = make_questions(shop, options.seed, options.split)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "products.json").write_text(json.dumps(catalogue_json(shop), ensure_ascii=False), "utf-8")
    lines = (json.dumps(question, ensure_ascii=False) for question in questions)
    (options.out / "questions.jsonl").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    counts = {kind: sum(question["kind"] == kind for question in questions) for kind in KINDS}
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
