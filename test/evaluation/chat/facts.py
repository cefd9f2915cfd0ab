"""What can be asked of the generated catalogue, and what is true: one entry per topic, read from a product's own data.

A truth is a list of groups of strings: an answer must have at least one string of every group (`judge.ts` says how it compares
them). A string that starts with `re:` is a regular expression. What is asked is worded in `phrasings_dev.py` and
`phrasings_held_out.py` under the same keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from catalogue import STYLE_NAMES, Product

Groups = list[list[str]]

BLADES = ("c-katana", "c-wakizashi", "c-tanto", "c-polearms")


@dataclass(frozen=True)
class Item:
    """A product as it is sold in the evaluation's shop."""

    product: Product
    stock: int

    @property
    def id(self) -> str:
        return self.product.id

    @property
    def text(self) -> str:
        """All that the shop says of the product in words."""
        facts = " ".join(f"{name}: {value}." for name, value in self.product.attributes.items())
        return f"{self.product.name}. {self.product.description} {facts}"

    def number(self, attribute: str) -> float | None:
        """The attribute's leading number; of the price, yen."""
        if attribute == "price":
            return float(self.product.price)
        found = re.match(r"[\d.]+", self.product.attributes.get(attribute, ""))
        return float(found[0]) if found else None


# ---------------------------------------------------------------- one attribute


def _measure(value: str) -> list[str]:
    """A measure as the shop has it, and in the next larger unit."""
    value = re.sub(r" (each|per pair)$", "", value)
    number, _, unit = value.partition(" ")
    other = {"g": (1000, "kg"), "cm": (100, "m")}.get(unit)
    return [
        value,
        *([f"{float(number) / other[0]:g} {other[1]}"] if other and float(number) >= other[0] else []),
    ]


def _first_clause(value: str) -> list[str]:
    return [value, value.split(",")[0]]


def _use(item: Item) -> list[str]:
    sentences = {
        "cutting practice": "rolled mats",
        "forms practice": "solo forms",
        "display": "for the wall",
        "stage and costume": "costume and stage",
        "training": "daily use in a dojo",
    }
    value = item.product.attributes["use"]
    return [value, *([sentences[value]] if value in sentences else [])]


def _pieces(item: Item) -> list[str]:
    count = item.product.attributes["pieces"]
    word = ["two", "three", "four", "five", "six", "seven"][int(count) - 2]
    return [rf"re:\b({count}|{word})[ -](piece|part|item)", rf"re:\bpieces?\W+(is |are )?{count}\b"]


_EDGE = {
    "sharp": (["sharp", "sharpened"], ["blunt", "not sharp", "unsharpened"]),
    "blunt": (["blunt", "not sharp", "unsharpened", "has no edge"], []),
}

NO_STOCK = r"re:\bin stock\W+(is )?(no|false)\b"

_SPECIAL: dict[str, Callable[[Item], Groups]] = {
    "weight": lambda item: [_measure(item.product.attributes["weight"])],
    "length": lambda item: [_measure(item.product.attributes["length"])],
    "care": lambda item: [_first_clause(item.product.attributes["care"])],
    "use": lambda item: [_use(item)],
    "edge": lambda item: [_EDGE[item.product.attributes["edge"]][0]],
    "pieces": lambda item: [_pieces(item)],
    "grit": lambda item: [
        [
            rf"re:\bgrit\W+(is |of )?{item.product.attributes['grit']}\b",
            f"{item.product.attributes['grit']} grit",
        ]
    ],
    "fits": lambda item: [
        [item.product.attributes["fits"], item.product.attributes["fits"].partition("blades ")[2]]
    ],
    "sizes": lambda item: [
        [item.product.attributes["sizes"], item.product.attributes["sizes"].replace(" to ", "-")]
    ],
    "kit contents": lambda item: [
        [part] for part in re.split(r", | and ", item.product.attributes["contents"])
    ],
    "price": lambda item: [[str(item.product.price)]],
    "stock": lambda item: [
        ["in stock", "available", r"re:\bin stock\W+(is )?(yes|true)"]
        if item.stock
        else ["out of stock", "not in stock", "sold out", "not available", NO_STOCK]
    ],
}


@dataclass(frozen=True)
class Topic:
    attribute: str
    categories: tuple[str, ...] = ()  # only there; none: wherever the attribute is

    def asked_of(self, item: Item) -> bool:
        if self.categories and item.product.category_id not in self.categories:
            return False
        return self.attribute in ("price", "stock") or self.attribute in item.product.attributes


_OF_MATERIAL = [
    "sheaths", "guards", "wraps", "stands", "uniforms", "haori", "belts", "masks", "whetstones",
    "charms", "earrings", "bags", "wooden-swords", "dojo",
]  # fmt: skip
_CALLED_AS_IT_IS = [
    "steel", "length", "weight", "breathing style", "edge", "use", "hilt wrap", "sheath",
    "blade colour", "care", "workshop", "blade length", "shaft", "finish", "fits", "cord", "shape",
    "diameter", "colour", "width", "load", "cut", "sizes", "pieces", "pattern", "lining", "covers",
    "case", "oil", "grit", "clasp", "pages", "binding", "language", "level", "price", "stock",
]  # fmt: skip
TOPICS: dict[str, Topic] = {name: Topic(name) for name in _CALLED_AS_IT_IS} | {
    "material": Topic("material", tuple(f"c-{name}" for name in _OF_MATERIAL)),
    "sole": Topic("material", ("c-footwear",)),
    "kit contents": Topic("contents", ("c-care-kits",)),
    "amount": Topic("contents", ("c-oils",)),
    "holds": Topic("holds", ("c-stands", "c-bags")),
    "stone size": Topic("size", ("c-whetstones",)),
    "dojo size": Topic("size", ("c-dojo",)),
}


def topic_truth(topic: str, item: Item) -> Groups:
    special = _SPECIAL.get(topic)
    return special(item) if special else [[item.product.attributes[TOPICS[topic].attribute]]]


def topic_forbids(topic: str, item: Item) -> list[str]:
    """What an answer must not say beside the truth."""
    if topic == "edge":
        return _EDGE[item.product.attributes["edge"]][1]
    if topic == "stock" and item.stock:
        return ["out of stock", "not in stock", "sold out", "not available", NO_STOCK]
    return []


# ---------------------------------------------------------------- facts that only sentences have


@dataclass(frozen=True)
class Told:
    """A fact of the description. `outcomes`: a pattern whose first matching group is the fact, and how no answer may begin.
    `trace` finds any hint of it in a product's data: without one, the shop does not say."""

    categories: tuple[str, ...]
    outcomes: tuple[tuple[str, str | None], ...]
    trace: str | None = None  # None: never asked where it is not told

    def fact(self, item: Item) -> tuple[Groups, str | None] | None:
        if item.product.category_id not in self.categories:
            return None
        for pattern, must_not_start in self.outcomes:
            found = re.search(pattern, item.product.description)
            if found:
                return [[found[1]]], must_not_start
        return None

    def untold(self, item: Item) -> bool:
        return bool(
            self.trace
            and item.product.category_id in self.categories
            and not re.search(self.trace, item.text, re.IGNORECASE)
        )


def _told(category: str, *patterns: str, trace: str | None = None, never: str | None = None) -> Told:
    return Told((f"c-{category}",), tuple((pattern, never) for pattern in patterns), trace)


SENTENCES: dict[str, Told] = {
    "temper line": Told(BLADES, ((r"with (.+?) along the temper line", None),), "temper"),
    "folds": Told(BLADES, ((r"folded (eleven times)", None),), "eleven|times"),
    "iron sand": Told(BLADES, ((r"smelted from (iron sand)", None),)),
    "shaft section": _told("polearms", r"the shaft is (oval)", trace="oval|round"),
    "relief": _told("sheaths", r"carries (.+?)\.", trace="carries|decorat|relief"),
    "mouth": _told("sheaths", r"mouth is lined with (horn)", trace="horn|mouth|lined", never="No"),
    "measuring": _told("sheaths", r"measure yours (from the collar to the tip)", trace="measure|collar"),
    "spacer": _told("guards", r"a (copper spacer) is included", trace="spacer|includ", never="No"),
    "faces": _told("guards", r"Both faces show (.+?), the sign", trace="face|show"),
    "enough": _told("wraps", r"enough for a (tanto or wakizashi|katana) hilt"),
    "wrapping": _told("wraps", "(Dampen it before wrapping)", "(Wrap it dry)"),
    "ray skin": _told(
        "wraps", "(Ray skin and paper wedges are not included)", trace="ray skin|includ", never="Yes"
    ),
    "padding": _told("stands", "(Felt pads)", trace="felt|pad|mark", never="No"),
    "screws": _told("stands", "(Screws and wall plugs are included)", trace="includ|plug|tool", never="No"),
    "placing": _told("stands", r"it (screws to the wall|stands on any flat surface|stands on the floor)"),
    "runs": _told("uniforms", r"it runs (small|true to size)", trace="runs|true to size"),
    "buttons": _told("uniforms", r"The buttons (?:carry|are) (.+?)\.", trace="button"),
    "back": _told("uniforms", r"The back has (no print)", trace="back|print", never="Yes"),
    "sleeves": _told("haori", r"The sleeves end in (.+?), after", trace="sleeve"),
    "season": _told("haori", "(Warm enough for a winter evening|Best from spring to autumn)"),
    "front cord": _told("haori", r"the cord in front is (removable)", trace="cord", never="No"),
    "socks": _told("footwear", "(split-toe socks)", trace="sock|toe"),
    "ground": _told(
        "footwear", "(wet ground|Suited to dojo floors and streets alike)", trace="ground|floor|street"
    ),
    "belt job": _told(
        "belts", "(holds a sheathed sword at the hip|keeps loose cloth out of the way)", trace="holds|loose"
    ),
    "brow": _told(
        "masks", r"(\w[^.]+?) is painted on the brow", r"The (brow is left bare)", trace="brow|marking"
    ),
    "straps": Told(
        ("c-masks",), (("(no straps)", "Yes"), ("(Elastic straps and foam pads)", "No")), "strap|pads"
    ),
    "mask protection": _told("masks", "(no protection in sparring)", trace="protect|sparring", never="Yes"),
    "oil lasts": _told("care-kits", r"lasts about (\d+ months)", trace=r"month|lasts|^(?!.*\bml\b)"),
    "leaflet": _told("care-kits", "Instructions in (English and Japanese)", trace="instruct|english"),
    "stainless": _told("care-kits", "Stainless blades need (only the cloth)", trace="stainless"),
    "scent": _told("oils", "scented with (clove)", trace="scent|clove"),
    "pressed": _told("oils", "pressed from (camellia seed)"),
    "dose": _told("oils", "(few drops per blade|Use it sparingly)", trace="drops|sparingly"),
    "warning": _told("oils", "Keep away from (children and heat)", trace="keep away|children"),
    "scratches": _told("oils", "(leaves fine scratches)", never="No"),
    "soaking": _told("whetstones", "(Soak it ten minutes|do not soak)", trace="soak|splash|water"),
    "antiques": _told("whetstones", "(trained polisher)", trace="antique|polish", never="Yes"),
    "charm motif": _told("charms", r"long, with (.+?)\."),
    "nickel": _told("earrings", "(free of nickel)", trace="nickel|clasp: (clip|screw)", never="Yes"),
    "shoulder strap": _told("bags", r"shoulder strap can be (taken off)", trace="strap", never="No"),
    "closing": _told("bags", "(zip takes a small padlock|closes with a cord)"),
    "grip": _told(
        "wooden-swords", r"(\w[^.]+?) is burned into the grip", r"The (grip is left bare)", trace="grip"
    ),
    "before training": _told("wooden-swords", "Check it for (splinters)", trace="splinter|check"),
    "mats": _told("dojo", "(soak them overnight)"),
    "gourd": _told("dojo", "(it can burst)", never="No"),
    "inspection": _told("dojo", "(before each class)", trace="inspect|class"),
    "pictures": _told("manuals", "(line drawings)", trace="drawing|step by step", never="No"),
    "teacher": _told("manuals", "(does not replace a teacher)", trace="replace", never="Yes"),
}


# ---------------------------------------------------------------- does it suit?


@dataclass(frozen=True)
class Fit:
    """The words that go into the question, whether it fits, and the fact that decides it."""

    fits: bool
    truth: Groups
    slots: dict[str, str]


_SIZES = ["XS", "S", "M", "L", "XL", "XXL"]
_COUNTS = ["one sword", "two swords", "three swords"]
_Check = Callable[[Item, bool, Callable], "Fit | None"]


def _simple(
    categories: tuple[str, ...],
    decide: Callable[[Item], tuple[bool, list[str]] | None],
) -> _Check:
    """A check without words of its own: it fits or not, whatever is wished."""

    def check(item: Item, wish: bool, _pick: Callable) -> Fit | None:
        decided = decide(item) if item.product.category_id in categories else None
        return Fit(decided[0], [decided[1]], {}) if decided and decided[0] == wish else None

    return check


def _style(item: Item, wish: bool, pick: Callable) -> Fit | None:
    own = item.product.attributes.get("breathing style")
    if not own or item.product.category_id not in (*BLADES, "c-haori", "c-guards", "c-wooden-swords"):
        return None
    asked = own if wish else pick([name for name in STYLE_NAMES if name != own])
    return Fit(wish, [[own]], {"style": asked})


def _cutting(item: Item) -> tuple[bool, list[str]]:
    use = item.product.attributes["use"]
    if use == "cutting practice":
        return True, [use, "rolled mats", "sharp"]
    blunt = ["blunt", "for display only", "rather than for cutting", "not made to be swung", "no edge"]
    return False, [use, *blunt, "too brittle for cutting"]


def _washing(item: Item) -> tuple[bool, list[str]]:
    care = item.product.attributes["care"]
    return care.startswith("machine wash"), _first_clause(care)


def _sheath_fit(item: Item, wish: bool, pick: Callable) -> Fit | None:
    fits = item.product.attributes.get("fits")
    if not fits:
        return None
    kind, size = re.match(r"(\w+) blades up to (\d+) cm", fits).groups()
    length = int(size) - pick([0, 1, 2, 3]) if wish else int(size) + pick([1, 2, 4, 6])
    return Fit(wish, [[fits, f"up to {size} cm"]], {"blade": f"{length} cm {kind}"})


def _places(item: Item, wish: bool, pick: Callable) -> Fit | None:
    held = item.product.attributes.get("holds")
    if not held:
        return None
    places = _COUNTS.index(held) + 1
    wanted = pick(range(1, places + 1)) if wish else places + pick([1, 2])
    words = ["one sword", "two swords", "three swords", "four swords", "five swords"]
    return Fit(wish, [[held]], {"swords": words[wanted - 1]})


def _load(item: Item, wish: bool, pick: Callable) -> Fit | None:
    load = item.number("load")
    if load is None:
        return None
    wanted = max(1, int(load) - pick([0, 1])) if wish else int(load) + pick([1, 2, 5])
    return Fit(wish, [[item.product.attributes["load"]]], {"kilos": str(wanted)})


def _bag_length(item: Item, wish: bool, pick: Callable) -> Fit | None:
    if item.product.category_id != "c-bags":
        return None
    length = int(item.number("length"))
    wanted = length - pick([4, 8, 12]) if wish else length + pick([5, 10, 20])
    return Fit(wish, [_measure(f"{length} cm")], {"length": f"{wanted} cm"})


def _foot(item: Item, wish: bool, pick: Callable) -> Fit | None:
    if item.product.category_id != "c-footwear":
        return None
    low, high = map(int, re.findall(r"\d+", item.product.attributes["sizes"]))
    wanted = pick(range(low, high + 1)) if wish else pick([low - 2, low - 1, high + 1, high + 2])
    return Fit(wish, topic_truth("sizes", item), {"size": f"{wanted} cm"})


def _uniform_size(item: Item, wish: bool, pick: Callable) -> Fit | None:
    if item.product.category_id != "c-uniforms":
        return None
    low, high = (_SIZES.index(size) for size in item.product.attributes["sizes"].split(" to "))
    inside = _SIZES[low : high + 1]
    outside = [size for size in _SIZES if size not in inside]
    if not wish and not outside:
        return None
    return Fit(wish, topic_truth("sizes", item), {"size": pick(inside if wish else outside)})


def _language(item: Item, wish: bool, pick: Callable) -> Fit | None:
    language = item.product.attributes.get("language")
    asked = [name for name in ("English", "Japanese") if (name in language) == wish] if language else []
    return Fit(wish, [[language]], {"language": pick(asked)}) if asked else None


def _worn(item: Item) -> tuple[bool, list[str]]:
    display = item.product.attributes["use"] == "display"
    return (
        (False, ["display", "not made to be worn", "for the wall", "no straps"])
        if display
        else (True, ["costume", "elastic straps"])
    )


def _lock(item: Item) -> tuple[bool, list[str]]:
    if item.product.attributes["lockable"] == "yes":
        return True, ["lockable", "padlock", "can be locked"]
    return False, ["cannot be locked", "not lockable", r"re:\blockable\W+(is )?no\b", "closes with a cord"]


def _winter(item: Item) -> tuple[bool, list[str]] | None:
    if "Warm enough for a winter evening" in item.product.description:
        return True, ["warm enough for a winter evening", "lined"]
    if "Best from spring to autumn" in item.product.description:
        return False, ["best from spring to autumn", "unlined"]
    return None


def _beginner(item: Item) -> tuple[bool, list[str]]:
    level = item.product.attributes["level"]
    return level == "beginners", [level]


def _armour(item: Item) -> tuple[bool, list[str]] | None:
    use = item.product.attributes["use"]
    # Split bamboo "is safe with armour" whatever it is shaped to.
    return None if "armour" not in use and "safe with armour" in item.text else ("armour" in use, [use])


def _chips(item: Item) -> tuple[bool, list[str]]:
    use = item.product.attributes["use"]
    return use == "repairing chips", [use]


def _unpierced(item: Item) -> tuple[bool, list[str]] | None:
    clasp = item.product.attributes["clasp"]
    return None if clasp == "screw back" else (clasp == "clip", [clasp, f"{clasp}s"])


def _kit_oil(item: Item) -> tuple[bool, list[str]]:
    contents = item.product.attributes["contents"]
    return ("choji oil" in contents), (
        ["choji oil", item.product.attributes.get("oil", "choji oil")]
        if "choji oil" in contents
        else ["oil is not included", "no oil", contents]
    )


def _sharpening(item: Item) -> tuple[bool, list[str]] | None:
    return (False, ["cannot be sharpened"]) if "cannot be sharpened" in item.product.description else None


def _rust(item: Item) -> tuple[bool, list[str]] | None:
    if "does not rust" in item.product.description:
        return False, ["does not rust"]
    if "rusts if left unoiled" in item.product.description:
        return True, ["rusts if left unoiled"]
    return None


def _swinging(item: Item) -> tuple[bool, list[str]] | None:
    use = item.product.attributes["use"]
    if use == "display":
        return False, ["display", "not made to be swung"]
    return (True, _use(item)) if use in ("forms practice", "cutting practice") else None


def _convention(item: Item) -> tuple[bool, list[str]] | None:
    passes = "passes most convention checks" in item.product.description
    return (True, ["passes most convention checks", "stage and costume"]) if passes else None


SUITABILITY: dict[str, _Check] = {
    "style": _style,
    "cutting": _simple(BLADES, _cutting),
    "washing": _simple(("c-uniforms", "c-haori", "c-belts"), _washing),
    "sheath": _sheath_fit,
    "places": _places,
    "load": _load,
    "worn": _simple(("c-masks",), _worn),
    "lock": _simple(("c-bags",), _lock),
    "bag length": _bag_length,
    "foot": _foot,
    "uniform size": _uniform_size,
    "winter": _simple(("c-haori",), _winter),
    "beginner": _simple(("c-manuals",), _beginner),
    "language": _language,
    "armour": _simple(("c-wooden-swords",), _armour),
    "chips": _simple(("c-whetstones",), _chips),
    "unpierced": _simple(("c-earrings",), _unpierced),
    "kit oil": _simple(("c-care-kits",), _kit_oil),
    "sharpening": _simple(BLADES, _sharpening),
    "rust": _simple(BLADES, _rust),
    "swinging": _simple(BLADES, _swinging),
    "convention": _simple(BLADES, _convention),
}


# ---------------------------------------------------------------- which of two?


@dataclass(frozen=True)
class Scale:
    """What is compared; `more` and `less` are patterns of the words that say that the one named has more or less of it."""

    attribute: str
    more: str
    less: str


_MORE, _LESS = r"great(er|est)|larger|largest|high(er|est)|\bmost\b", r"\bleast\b|low(er|est)|small(er|est)"
SCALES: dict[str, Scale] = {
    "weight": Scale(
        "weight", rf"heav(y|ier|iest)|weighs more|{_MORE}", rf"light(er|est)|weighs less|{_LESS}"
    ),
    "length": Scale("length", rf"long(er|est)|{_MORE}", rf"short(er|est)|{_LESS}"),
    "blade length": Scale("blade length", rf"long(er|est)|{_MORE}", rf"short(er|est)|{_LESS}"),
    "price": Scale(
        "price",
        rf"more expensive|most expensive|dear(er|est)|pric(ier|iest)|costs? more|{_MORE}",
        rf"cheap(er|est)|less expensive|least expensive|costs? less|{_LESS}",
    ),
    "pages": Scale(
        "pages", rf"\bmore\b|long(er|est)|thick(er|est)|{_MORE}", rf"fewer|thinn?er|short(er|est)|{_LESS}"
    ),
    "load": Scale("load", rf"\bmore\b|strong(er|est)|{_MORE}", rf"\bless\b|weaker|{_LESS}"),
    "diameter": Scale("diameter", rf"bigger|biggest|wid(er|est)|{_MORE}", rf"narrow(er|est)|{_LESS}"),
    "grit": Scale("grit", rf"fin(er|est)|{_MORE}", rf"coars(er|est)|rough(er|est)|{_LESS}"),
}


def scale_truth(scale: str, item: Item) -> list[str]:
    if scale in ("weight", "length", "blade length", "diameter", "load"):
        return _measure(item.product.attributes[scale])
    return [str(item.product.price if scale == "price" else item.product.attributes[scale])]


# ---------------------------------------------------------------- what satisfies a need?


@dataclass(frozen=True)
class Shelf:
    """A kind of goods as shoppers call it."""

    noun: str
    category: str
    word: str = ""  # that the name must have

    def has(self, item: Item) -> bool:
        return item.product.category_id == self.category and self.word in item.product.name


SHELVES = {
    shelf.noun: shelf
    for shelf in [
        Shelf("katana", "c-katana"),
        Shelf("wakizashi", "c-wakizashi"),
        Shelf("tanto", "c-tanto"),
        Shelf("naginata", "c-polearms", "Naginata"),
        Shelf("spear", "c-polearms", "Spear"),
        Shelf("sheath", "c-sheaths"),
        Shelf("sword guard", "c-guards"),
        Shelf("hilt wrap", "c-wraps"),
        Shelf("uniform", "c-uniforms"),
        Shelf("haori", "c-haori"),
        Shelf("mask", "c-masks"),
        Shelf("care kit", "c-care-kits"),
        Shelf("whetstone", "c-whetstones"),
        Shelf("charm", "c-charms"),
        Shelf("sword bag", "c-bags"),
        Shelf("shinai", "c-wooden-swords", "Shinai"),
        Shelf("suburito", "c-wooden-swords", "Suburito"),
        Shelf("manual", "c-manuals"),
    ]
}


def _is(item: Item, category: str, *words: str) -> bool:
    return item.product.category_id == f"c-{category}" and (
        not words or any(word in item.product.name for word in words)
    )


def _has(item: Item, attribute: str, *values: str) -> bool:
    return item.product.attributes.get(attribute) in values


NEEDS: dict[str, Callable[[Item], bool]] = {
    "blade oil": lambda i: _is(i, "oils", "Oil,") or (_is(i, "care-kits") and "oil" in i.product.attributes),
    "stand for two": lambda i: _is(i, "stands") and _has(i, "holds", "two swords", "three swords"),
    "rust spots": lambda i: _is(i, "oils", "Rust Eraser"),
    "carry": lambda i: _is(i, "bags"),
    "dry sheath": lambda i: _is(i, "oils", "Sheath Wax"),
    "chipped edge": lambda i: _is(i, "whetstones") and _has(i, "use", "repairing chips"),
    "polish edge": lambda i: _is(i, "whetstones") and _has(i, "use", "finishing the edge"),
    "fox face": lambda i: _is(i, "masks", "Fox"),
    "warm jacket": lambda i: _is(i, "haori") and _has(i, "lining", "lined"),
    "lungs": lambda i: _is(i, "dojo", "Gourd"),
    "padding for sparring": lambda i: _is(i, "dojo", "Sparring Armour"),
    "target": lambda i: _is(i, "dojo", "Striking Post"),
    "book": lambda i: _is(i, "manuals"),
    "handle tape": lambda i: _is(i, "wraps"),
    "rubber boots": lambda i: _is(i, "footwear", "Jika-Tabi"),
    "wooden sandals": lambda i: _is(i, "footwear", "Geta"),
    "bamboo sword": lambda i: _is(i, "wooden-swords", "Shinai"),
    "heavy trainer": lambda i: _is(i, "wooden-swords", "Suburito") or _has(i, "material", "ebony"),
    "polearm": lambda i: _is(i, "polearms"),
    "dagger": lambda i: _is(i, "tanto"),
    "tie sleeves": lambda i: _is(i, "belts", "Tasuki"),
    "hip belt": lambda i: _is(i, "belts", "Kaku Obi", "Sword Belt"),
    "wall": lambda i: _is(i, "stands", "Wall Mount"),
    "costume sword": lambda i: i.product.category_id in BLADES and _has(i, "use", "stage and costume"),
    "straw": lambda i: _is(i, "dojo", "Rolled Mats"),
    "wrist weights": lambda i: _is(i, "dojo", "Training Weights"),
    "keys": lambda i: _is(i, "charms", "Key Ring"),
    "card earrings": lambda i: _is(i, "earrings", "Hanafuda"),
    "cleaning set": lambda i: _is(i, "care-kits"),
    "old oil": lambda i: _is(i, "oils", "Polishing Powder"),
    "shins": lambda i: _is(i, "belts", "Leg Wraps"),
    "bell": lambda i: _is(i, "charms", "Bell"),
}


# ---------------------------------------------------------------- what the shop does not say


@dataclass(frozen=True)
class Blank:
    """An attribute that other categories have: no product of these has it, and `trace` finds no hint of it."""

    categories: tuple[str, ...]
    attribute: str
    trace: str

    def of(self, item: Item) -> bool:
        return (
            item.product.category_id in self.categories
            and self.attribute not in item.product.attributes
            and not re.search(self.trace, item.text, re.IGNORECASE)
        )


_WEIGHT = r"\d (g|kg)\b|weigh|heavy|\blight\b"
NEAR_MISSES: dict[str, Blank] = {
    "pages": Blank((*BLADES, "c-haori", "c-care-kits"), "pages", r"\bpage"),
    "grit": Blank((*BLADES, "c-guards", "c-masks"), "grit", "grit"),
    "lining": Blank(("c-bags", "c-uniforms", "c-belts"), "lining", r"lin(ed|ing)\b"),
    "language": Blank(("c-charms", "c-masks", "c-katana"), "language", "english|japanese|language|text"),
    "weight": Blank(("c-haori", "c-uniforms", "c-bags", "c-charms", "c-manuals"), "weight", _WEIGHT),
    "sizes": Blank(("c-charms", "c-masks"), "sizes", "size"),
    "workshop": Blank(("c-haori", "c-stands", "c-masks", "c-bags"), "workshop", "forge|made (at|by)|packed"),
    "hilt wrap": Blank(("c-polearms", "c-wooden-swords"), "hilt wrap", "wrap|grip"),
    "clasp": Blank(("c-charms", "c-guards"), "clasp", "clasp|close"),
    "steel": Blank(("c-wooden-swords", "c-earrings", "c-manuals"), "steel", "steel"),
    "load": Blank(("c-bags", "c-belts"), "load", r"\bkg\b|carries|load"),
    "pattern": Blank(("c-footwear", "c-belts", "c-wraps"), "pattern", "pattern"),
}
