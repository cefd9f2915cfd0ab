"""A made-up catalogue: swords and gear in the manner of Demon Slayer, each described by its own facts.

A product's attributes are drawn first; its name and description are built from them, so the three agree.
Prices are in yen. Everything follows from the seed and the number of products.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from names import ROMAN, STYLES, WORKSHOPS, given_name


@dataclass(frozen=True)
class Category:
    id: str
    name: str
    parent_id: str | None = None
    share: float = 0.0  # of all products; 0 for a group
    price: int = 0  # median, yen
    spread: float = 0.4  # standard deviation of ln(price)
    per_day: float = 1.0  # relative units sold per day
    season: tuple[int, float] = (12, 0.1)  # month of the yearly peak, and its height (ln)


CATEGORIES = [
    Category("c-blades", "Blades"),
    Category("c-katana", "Katana", "c-blades", 0.17, 42000, 0.55, 0.9, (12, 0.25)),
    Category("c-wakizashi", "Wakizashi", "c-blades", 0.06, 28000, 0.45, 0.7, (12, 0.2)),
    Category("c-tanto", "Tanto", "c-blades", 0.05, 16000, 0.45, 0.9, (12, 0.2)),
    Category("c-polearms", "Naginata and spears", "c-blades", 0.04, 52000, 0.4, 0.4, (5, 0.2)),
    Category("c-fittings", "Sheaths and fittings"),
    Category("c-sheaths", "Sheaths", "c-fittings", 0.06, 9800, 0.4, 0.9, (12, 0.15)),
    Category("c-guards", "Sword guards", "c-fittings", 0.05, 5200, 0.45, 0.8, (11, 0.1)),
    Category("c-wraps", "Hilt wraps", "c-fittings", 0.04, 2400, 0.3, 1.2, (10, 0.1)),
    Category("c-stands", "Stands and wall mounts", "c-fittings", 0.04, 7600, 0.45, 0.8, (12, 0.3)),
    Category("c-clothing", "Clothing"),
    Category("c-uniforms", "Uniforms", "c-clothing", 0.06, 12800, 0.3, 1.4, (10, 0.45)),
    Category("c-haori", "Haori", "c-clothing", 0.09, 8600, 0.35, 1.6, (1, 0.4)),
    Category("c-footwear", "Footwear", "c-clothing", 0.04, 4400, 0.35, 1.1, (6, 0.35)),
    Category("c-belts", "Belts and leg wraps", "c-clothing", 0.03, 2800, 0.3, 1.2, (10, 0.2)),
    Category("c-masks", "Masks", "c-clothing", 0.05, 6400, 0.5, 1.2, (10, 0.7)),
    Category("c-care", "Sword care"),
    Category("c-care-kits", "Care kits", "c-care", 0.03, 4200, 0.35, 1.9, (12, 0.3)),
    Category("c-oils", "Oils and powders", "c-care", 0.03, 1400, 0.3, 2.6, (6, 0.2)),
    Category("c-whetstones", "Whetstones", "c-care", 0.03, 5600, 0.5, 0.9, (3, 0.1)),
    Category("c-charms-group", "Charms and accessories"),
    Category("c-charms", "Charms", "c-charms-group", 0.05, 1200, 0.35, 2.8, (1, 0.8)),
    Category("c-earrings", "Earrings", "c-charms-group", 0.03, 2200, 0.4, 2.0, (12, 0.4)),
    Category("c-bags", "Sword bags", "c-charms-group", 0.03, 5400, 0.35, 0.9, (4, 0.25)),
    Category("c-training", "Training"),
    Category("c-wooden-swords", "Wooden swords", "c-training", 0.05, 5200, 0.45, 1.6, (4, 0.45)),
    Category("c-dojo", "Dojo equipment", "c-training", 0.03, 9400, 0.5, 0.8, (4, 0.35)),
    Category("c-manuals", "Manuals", "c-training", 0.02, 2600, 0.3, 1.3, (7, 0.25)),
]
LEAVES = [category for category in CATEGORIES if category.parent_id]
STYLE_NAMES = [style.name for style in STYLES]
ANY_STYLE = -1  # oils, whetstones and the like belong to no breathing style


@dataclass
class Product:
    """One product as the lake holds it, with the two latent facts that the shop's model needs."""

    id: str
    sku: str
    name: str
    description: str
    price: int  # yen
    category_id: str
    attributes: dict[str, str]
    leaf: int = 0  # position in LEAVES
    style: int = ANY_STYLE  # position in STYLES


@dataclass
class _Draft:
    """What a builder makes of its random draws."""

    name: str
    sentences: list[str]  # the first always stays; of the others some may be left out
    attributes: dict[str, str]
    value: float = 1.0  # factor on the category's median price
    style: int = ANY_STYLE
    extras: list[str] = field(default_factory=list)


class _Dice:
    """Shorthand over one generator."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def pick(self, options: list | tuple):
        return options[int(self.rng.integers(len(options)))]

    def whole(self, low: int, high: int, step: int = 1) -> int:
        return low + step * int(self.rng.integers((high - low) // step + 1))

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def style(self) -> int:
        # Some breathing styles have far more followers than others, and so more products.
        weights = np.array([style.followers for style in STYLES])
        return int(self.rng.choice(len(STYLES), p=weights / weights.sum()))


# steel: (name, price factor, what is true of it)
_STEELS = [
    ("1045 carbon steel", 0.65, "1045 is a forgiving carbon steel that bends before it chips"),
    ("1060 carbon steel", 0.85, "1060 steel takes a keen edge and stands hard use"),
    ("1095 high-carbon steel", 1.1, "1095 steel holds its edge long but rusts if left unoiled"),
    ("T10 tool steel", 1.35, "T10 is hard at the edge and shows a vivid temper line when clay-tempered"),
    ("folded 1095 steel", 1.6, "the billet is folded eleven times, which leaves a fine grain on the flat"),
    ("tamahagane", 3.2, "tamahagane is smelted from iron sand, so no two blades show the same grain"),
    ("420 stainless steel", 0.45, "420 stainless does not rust but is too brittle for cutting"),
    ("aluminium alloy", 0.4, "the aluminium alloy cannot be sharpened, which many events require"),
]
_BLADE_USES = [
    ("cutting practice", "Made for cutting rolled mats"),
    ("forms practice", "Balanced for solo forms rather than for cutting"),
    ("display", "For display only: it is not made to be swung or to strike anything"),
    ("stage and costume", "For costume and stage; it passes most convention checks because it has no edge"),
]
_WRAPS = ["black cotton", "white cotton", "deep red silk", "navy silk", "brown leather", "grey suede"]
_SHEATH_WOODS = ["honoki magnolia", "alder", "beech", "rosewood"]
_FINISHES = ["black lacquer", "deep red lacquer", "bare oiled wood", "indigo lacquer", "white lacquer"]
_CLOTHS = [
    ("cotton twill", "machine wash at 30 °C, dry in the shade", 0.8),
    ("hemp and cotton", "hand wash cold, iron while damp", 1.0),
    ("wool blend", "dry clean only", 1.3),
    ("polyester crepe", "machine wash at 40 °C, no ironing needed", 0.6),
    ("silk", "dry clean only, keep out of strong sun", 2.1),
]
_PATTERNS = [
    "plain",
    "check",
    "hemp leaf",
    "fish scale",
    "wave",
    "arrow feather",
    "triangle",
    "tortoiseshell",
    "cloud",
]
_COLOURS = ["indigo", "black", "crimson", "moss green", "ochre", "white", "plum", "grey", "teal", "rust"]
_WOODS = [
    ("red oak", "red oak is light and cheap to replace", 0.7),
    ("white oak", "white oak is dense and the usual choice for paired practice", 1.0),
    ("loquat", "loquat is tough and said to sting for days", 2.0),
    ("ebony", "ebony is very heavy, for slow solo swings only", 2.4),
    ("bamboo", "split bamboo gives on impact and is safe with armour", 0.6),
]


def _cm(value: int | float) -> str:
    return f"{value:g} cm"


def _blade(noun: str, length: tuple[int, int], weight: tuple[int, int]) -> Callable[[_Dice], _Draft]:
    def build(dice: _Dice) -> _Draft:
        style = dice.style()
        steel, factor, fact = dice.pick(_STEELS)
        soft = steel in ("420 stainless steel", "aluminium alloy")
        use, use_text = dice.pick(
            _BLADE_USES[2:] if soft else _BLADE_USES[:3] if dice.chance(0.9) else _BLADE_USES[1:3]
        )
        size = dice.whole(*length)
        # Longer blades weigh more; alloy weighs little.
        share = (size - length[0]) / max(1, length[1] - length[0])
        grams = weight[0] + (weight[1] - weight[0]) * (0.75 * share + 0.25 * dice.rng.random())
        grams = int(round(grams * (0.55 if steel == "aluminium alloy" else 1.0), -1))
        edge = "sharp" if use == "cutting practice" else "blunt"
        wrap, wood = dice.pick(_WRAPS), dice.pick(_SHEATH_WOODS)
        care = "wipe with a dry cloth" if soft else dice.pick(["oil after every use", "oil once a month"])
        name = given_name(dice.rng)
        tint = STYLES[style].colour
        maker = dice.pick(WORKSHOPS)
        sentences = [
            f"{name} is a {edge} {STYLES[style].name.lower()}-style {noun.lower()} of {steel}, "
            f"{_cm(size)} long and {grams} g in weight.",
            f"{use_text}.",
            f"{fact[0].upper()}{fact[1:]}.",
            f"The blade is tinted {tint}, with {STYLES[style].motif} along the temper line.",
            f"The hilt is wrapped in {wrap}; the sheath is {wood}.",
            f"Care: {care}.",
            f"Forged at {maker}.",
        ]
        attributes = {
            "steel": steel,
            "length": _cm(size),
            "weight": f"{grams} g",
            "breathing style": STYLES[style].name,
            "edge": edge,
            "use": use,
            "hilt wrap": wrap,
            "sheath": wood,
            "blade colour": tint,
            "care": care,
            "workshop": maker,
        }
        return _Draft(f"{name} {STYLES[style].name} {noun}", sentences, attributes, factor, style)

    return build


def _polearm(dice: _Dice) -> _Draft:
    noun, blade = dice.pick([("Naginata", (35, 60)), ("Yari Spear", (18, 36))])
    draft = _blade(noun, (170, 225), (1500, 2600))(dice)
    edge = dice.whole(*blade)
    shaft = dice.pick(["white oak", "red oak", "biwa wood"])
    draft.attributes.pop("sheath")
    draft.attributes |= {"blade length": _cm(edge), "shaft": shaft}
    draft.sentences[4] = f"The blade takes up {_cm(edge)} of it; the shaft is oval {shaft}."
    draft.attributes.pop("hilt wrap")
    return draft


def _sheath(dice: _Dice) -> _Draft:
    wood, finish = dice.pick(_SHEATH_WOODS), dice.pick(_FINISHES)
    fits = dice.pick(["katana", "wakizashi", "tanto"])
    size = {"katana": dice.whole(68, 76), "wakizashi": dice.whole(42, 56), "tanto": dice.whole(22, 33)}[fits]
    cord = dice.pick(["black", "navy", "crimson", "white"])
    grams = int(round(size * (3.1 + dice.rng.random()), -1))
    style = dice.style() if dice.chance(0.6) else ANY_STYLE
    motif = f"{STYLES[style].motif} in relief" if style >= 0 else "no decoration"
    attributes = {
        "material": wood,
        "finish": finish,
        "fits": f"{fits} blades up to {_cm(size)}",
        "weight": f"{grams} g",
    }
    attributes |= {"cord": f"{cord} cotton", "care": "keep dry, wax twice a year"}
    if style >= 0:
        attributes["breathing style"] = STYLES[style].name
    label = f"{STYLES[style].name} " if style >= 0 else ""
    return _Draft(
        f"{label}{finish.title()} {fits.title()} Sheath, {_cm(size)}",
        [
            f"A {fits} sheath of {wood} in {finish}, for blades up to {_cm(size)}.",
            f"It weighs {grams} g and carries {motif}.",
            f"A {cord} cotton cord is tied at the knob.",
            "The mouth is lined with horn so that drawing does not shave the wood.",
            "Blades vary: measure yours from the collar to the tip before ordering.",
            "Care: keep dry, wax twice a year.",
        ],
        attributes,
        {"katana": 1.2, "wakizashi": 0.95, "tanto": 0.7}[fits],
        style,
    )


def _guard(dice: _Dice) -> _Draft:
    style = dice.style()
    metal, factor = dice.pick(
        [("iron", 0.9), ("brass", 0.8), ("copper", 1.0), ("zinc alloy", 0.5), ("shakudo", 2.3)]
    )
    shape = dice.pick(["round", "square", "four-lobed", "octagonal", "flame-edged"])
    size, grams = dice.whole(68, 84), dice.whole(70, 190, 5)
    care = "oil lightly" if metal == "iron" else "polish with a soft cloth"
    return _Draft(
        f"{given_name(dice.rng)} {STYLES[style].name} Guard, {shape.title()} {metal.title()}",
        [
            f"A {shape} sword guard of {metal}, {size} mm across and {grams} g.",
            f"Both faces show {STYLES[style].motif}, the sign of the {STYLES[style].name.lower()} style.",
            "The opening fits most katana tangs; a copper spacer is included.",
            f"Care: {care}.",
        ],
        {
            "material": metal,
            "shape": shape,
            "diameter": f"{size} mm",
            "weight": f"{grams} g",
            "breathing style": STYLES[style].name,
            "care": care,
        },
        factor,
        style,
    )


def _wrap(dice: _Dice) -> _Draft:
    cloth, factor = dice.pick([("cotton", 0.8), ("silk", 1.5), ("suede", 1.2), ("leather", 1.3)])
    colour, metres, width = dice.pick(_COLOURS), dice.pick([3, 4, 5]), dice.pick([8, 10, 12])
    return _Draft(
        f"{colour.title()} {cloth.title()} Hilt Wrap, {metres} m × {width} mm",
        [
            f"{metres} m of {colour} {cloth} tape, {width} mm wide, for wrapping one hilt.",
            f"{'Four metres are' if metres == 4 else f'{metres} m are'} enough for a "
            f"{'tanto or wakizashi' if metres == 3 else 'katana'} hilt.",
            "Dampen it before wrapping so that it tightens as it dries."
            if cloth == "cotton"
            else "Wrap it dry and fix the end knots with rice glue.",
            "Ray skin and paper wedges are not included.",
        ],
        {
            "material": cloth,
            "colour": colour,
            "length": f"{metres} m",
            "width": f"{width} mm",
            "care": "brush off dust, do not soak",
        },
        factor * metres / 4,
    )


def _stand(dice: _Dice) -> _Draft:
    wood = dice.pick(["pine", "walnut", "oak", "black lacquered beech"])
    kind, fixed = dice.pick(
        [
            ("Table Stand", "stands on any flat surface"),
            ("Wall Mount", "screws to the wall"),
            ("Floor Stand", "stands on the floor"),
        ]
    )
    holds, width = dice.whole(1, 3), dice.whole(36, 60)
    load = holds * dice.pick([2, 3])
    swords = "one sword" if holds == 1 else f"{['two', 'three'][holds - 2]} swords"
    return _Draft(
        f"{wood.title()} {kind} for {swords.title()}, {_cm(width)}",
        [
            f"A {kind.lower()} of {wood} for {swords}, {_cm(width)} wide; it {fixed}.",
            f"It carries up to {load} kg.",
            "Felt pads keep the lacquer of the sheath from marks.",
            "Screws and wall plugs are included."
            if kind == "Wall Mount"
            else "No tools are needed to set it up.",
        ],
        {
            "material": wood,
            "holds": swords,
            "width": _cm(width),
            "load": f"{load} kg",
            "use": "display",
            "care": "dust with a dry cloth",
        },
        0.7 + 0.3 * holds + (0.4 if kind == "Floor Stand" else 0.0),
    )


def _uniform(dice: _Dice) -> _Draft:
    cloth, care, factor = dice.pick(_CLOTHS[:4])
    colour, cut = (
        dice.pick(["black", "dark navy", "charcoal"]),
        dice.pick(["Slim", "Regular", "Wide-Leg", "Cropped"]),
    )
    low, high = dice.pick([("S", "L"), ("M", "XL"), ("XS", "XXL")])
    pieces = dice.pick([2, 3, 4])
    style = dice.style() if dice.chance(0.35) else ANY_STYLE
    attributes = {
        "material": cloth,
        "colour": colour,
        "cut": cut.lower(),
        "sizes": f"{low} to {high}",
        "pieces": str(pieces),
        "use": "costume and light training",
        "care": care,
    }
    label = "Corps"
    if style >= 0:
        attributes["breathing style"] = STYLES[style].name
        label = STYLES[style].name
    parts = {
        2: "jacket and trousers",
        3: "jacket, trousers and belt",
        4: "jacket, trousers, belt and leg wraps",
    }
    return _Draft(
        f"{label} Uniform, {cut} Cut, {colour.title()} {cloth.title()}",
        [
            f"A {cut.lower()}-cut uniform of {colour} {cloth}: {parts[pieces]}.",
            f"Sizes {low} to {high}; it runs {dice.pick(['small, so take one size up', 'true to size'])}.",
            f"The buttons carry {STYLES[style].motif}."
            if style >= 0
            else "The buttons are plain and silver-coloured.",
            "The back has no print, so a haori lies flat over it.",
            f"Care: {care}.",
        ],
        attributes,
        factor * (0.7 + 0.12 * pieces),
        style,
    )


def _haori(dice: _Dice) -> _Draft:
    style = dice.style()
    cloth, care, factor = dice.pick(_CLOTHS)
    pattern, colour, length = dice.pick(_PATTERNS), dice.pick(_COLOURS), dice.whole(78, 104, 2)
    lined = dice.chance(0.4)
    return _Draft(
        f"{STYLES[style].name} Haori, {colour.title()} {pattern.title()}, {cloth.title()}",
        [
            f"A {'lined' if lined else 'light unlined'} haori of {cloth}, {colour} with a {pattern} pattern, "
            f"{_cm(length)} long."
            if pattern != "plain"
            else f"A {'lined' if lined else 'light unlined'} haori of {cloth}, plain {colour}, {_cm(length)} long.",
            f"The sleeves end in {STYLES[style].motif}, after the {STYLES[style].name.lower()} style.",
            "Warm enough for a winter evening." if lined else "Best from spring to autumn.",
            "One size; the cord in front is removable.",
            f"Care: {care}.",
        ],
        {
            "material": cloth,
            "colour": colour,
            "pattern": pattern,
            "length": _cm(length),
            "lining": "lined" if lined else "unlined",
            "breathing style": STYLES[style].name,
            "care": care,
        },
        factor * (1.25 if lined else 0.95),
        style,
    )


def _footwear(dice: _Dice) -> _Draft:
    kind, sole, factor = dice.pick(
        [
            ("Zori", "woven rush", 0.9),
            ("Jika-Tabi", "rubber", 1.3),
            ("Geta", "paulownia wood", 1.1),
            ("Tabi Socks", "cotton", 0.4),
            ("Waraji", "rice straw", 0.6),
        ]
    )
    colour, pair = dice.pick(_COLOURS), dice.whole(180, 720, 10)
    low = dice.whole(22, 24)
    return _Draft(
        f"{colour.title()} {kind}, {low} to {low + 5} cm",
        [
            f"{kind} in {colour} with a sole of {sole}, in sizes {low} to {low + 5} cm.",
            f"A pair weighs {pair} g.",
            "Worn with split-toe socks."
            if kind in ("Zori", "Geta", "Waraji")
            else "The split toe gives a sure stance.",
            "Not for wet ground."
            if sole in ("woven rush", "rice straw")
            else "Suited to dojo floors and streets alike.",
        ],
        {
            "material": sole,
            "colour": colour,
            "sizes": f"{low} to {low + 5} cm",
            "weight": f"{pair} g per pair",
            "use": "everyday and costume",
            "care": "air dry after use",
        },
        factor,
    )


def _belt(dice: _Dice) -> _Draft:
    kind, length = dice.pick(
        [("Kaku Obi", 400), ("Sword Belt", 120), ("Leg Wraps", 220), ("Tasuki Cord", 230)]
    )
    cloth, factor = dice.pick([("cotton", 0.8), ("silk", 1.6), ("leather", 1.5), ("hemp", 1.0)])
    colour, width = (
        dice.pick(_COLOURS),
        {"Kaku Obi": 9, "Sword Belt": 5, "Leg Wraps": 8, "Tasuki Cord": 2}[kind],
    )
    return _Draft(
        f"{colour.title()} {cloth.title()} {kind}, {width} × {length} cm",
        [
            f"{kind} of {colour} {cloth}, {width} cm wide and {length} cm long.",
            "It holds a sheathed sword at the hip."
            if kind in ("Kaku Obi", "Sword Belt")
            else "It keeps loose cloth out of the way while training.",
            f"Care: {'wipe and wax' if cloth == 'leather' else 'hand wash cold'}.",
        ],
        {
            "material": cloth,
            "colour": colour,
            "length": _cm(length),
            "width": _cm(width),
            "care": "wipe and wax" if cloth == "leather" else "hand wash cold",
        },
        factor,
    )


def _mask(dice: _Dice) -> _Draft:
    creature = dice.pick(["Fox", "Boar", "Crow", "Oni", "Cat", "Hyottoko", "Tengu"])
    material, factor = dice.pick(
        [("papier-mâché", 0.8), ("resin", 0.7), ("paulownia wood", 1.9), ("leather", 1.5)]
    )
    colour, grams = dice.pick(["white", "red", "black", "grey", "indigo"]), dice.whole(90, 520, 10)
    style = dice.style() if dice.chance(0.5) else ANY_STYLE
    cover = dice.pick(["whole face", "upper half of the face"])
    display = material == "paulownia wood" and dice.chance(0.5)
    attributes = {
        "material": material,
        "colour": colour,
        "weight": f"{grams} g",
        "covers": cover,
        "use": "display" if display else "costume",
        "care": "keep dry",
    }
    if style >= 0:
        attributes["breathing style"] = STYLES[style].name
    detail = f", {STYLES[style].name} Marking" if style >= 0 else ""
    return _Draft(
        f"{colour.title()} {creature} Mask, {material.capitalize()}{detail}",
        [
            f"A {colour} {creature.lower()} mask of {material}, {grams} g, that covers the {cover}.",
            f"{STYLES[style].motif.capitalize()} is painted on the brow."
            if style >= 0
            else "The brow is left bare.",
            "For the wall: it has no straps and is not made to be worn."
            if display
            else "Elastic straps and foam pads are fitted.",
            "It gives no protection in sparring.",
        ],
        attributes,
        factor,
        style,
    )


def _care_kit(dice: _Dice) -> _Draft:
    contents = [
        "choji oil",
        "rice paper",
        "powder ball",
        "peg hammer",
        "flannel cloth",
        "spare bamboo pegs",
        "brush",
    ]
    count = dice.whole(3, 7)
    parts = [contents[i] for i in sorted(dice.rng.permutation(len(contents))[:count])]
    box, factor = dice.pick([("paulownia box", 1.4), ("cardboard box", 0.7), ("canvas roll", 1.0)])
    oil = dice.pick([20, 30, 50, 100])
    listed = ", ".join(parts[:-1]) + " and " + parts[-1]
    return _Draft(
        f"{dice.pick(WORKSHOPS)} {count}-Piece Care Kit in a {box.title()}",
        [
            f"Everything for looking after a carbon-steel blade: {listed}, in a {box}.",
            f"The oil bottle holds {oil} ml, which lasts about {oil // 10} months."
            if "choji oil" in parts
            else "Oil is not included.",
            "Instructions in English and Japanese are enclosed.",
            "Stainless blades need only the cloth.",
        ],
        {"pieces": str(count), "contents": listed, "case": box, "use": "carbon-steel blades"}
        | ({"oil": f"{oil} ml"} if "choji oil" in parts else {}),
        factor * (0.5 + 0.12 * count),
    )


def _oil(dice: _Dice) -> _Draft:
    kind, fact, base = dice.pick(
        [
            ("Choji Oil", "mineral oil scented with clove, the usual choice for blades", 1.0),
            ("Camellia Oil", "pressed from camellia seed, good for wood and steel", 1.1),
            ("Polishing Powder", "fine stone powder that lifts old oil from the blade", 0.8),
            ("Sheath Wax", "beeswax that keeps bare wood from drying out", 0.7),
            ("Rust Eraser Paste", "a mild paste for spots of red rust; it leaves fine scratches", 1.2),
        ]
    )
    unit = "ml" if "Oil" in kind else "g"
    amount = dice.pick([20, 30, 50, 80, 100, 200])
    maker = dice.pick(WORKSHOPS)
    return _Draft(
        f"{maker} {kind}, {amount} {unit}",
        [
            f"{amount} {unit} of {kind.lower()}: {fact}.",
            f"Packed at {maker}.",
            "A few drops per blade are enough." if unit == "ml" else "Use it sparingly and wipe it off well.",
            "Keep away from children and heat.",
        ],
        {
            "contents": f"{amount} {unit}",
            "use": "blade care" if kind != "Sheath Wax" else "sheath care",
            "workshop": maker,
        },
        base * (0.45 + amount / 90),
    )


def _whetstone(dice: _Dice) -> _Draft:
    grit = dice.pick([220, 400, 800, 1000, 2000, 3000, 6000, 8000, 10000])
    kind = dice.pick(["synthetic", "synthetic", "natural"])
    length, width, thick = dice.whole(180, 230, 5), dice.whole(60, 80, 5), dice.pick([15, 20, 25, 30])
    step = "repairing chips" if grit <= 400 else "sharpening" if grit <= 2000 else "finishing the edge"
    return _Draft(
        f"{'Natural' if kind == 'natural' else 'Synthetic'} Whetstone, Grit {grit}, {length} × {width} × {thick} mm",
        [
            f"A {kind} whetstone of grit {grit}, {length} × {width} × {thick} mm, for {step}.",
            "Soak it ten minutes before use."
            if kind == "synthetic"
            else "Splash it with water; do not soak it.",
            "Leave the polishing of antique blades to a trained polisher.",
        ],
        {
            "material": kind,
            "grit": str(grit),
            "size": f"{length} × {width} × {thick} mm",
            "use": step,
            "care": "dry slowly, away from sun",
        },
        (2.2 if kind == "natural" else 0.8) * (0.7 + grit / 12000),
    )


def _charm(dice: _Dice) -> _Draft:
    style = dice.style()
    kind, material, factor = dice.pick(
        [
            ("Omamori Charm", "brocade", 0.8),
            ("Bell Charm", "brass", 0.9),
            ("Wisteria Charm", "dried petals in resin", 1.3),
            ("Netsuke", "boxwood", 2.0),
            ("Key Ring", "zinc alloy", 0.6),
        ]
    )
    colour, size = dice.pick(_COLOURS), dice.whole(3, 9)
    return _Draft(
        f"{STYLES[style].name} {kind}, {colour.title()}, {_cm(size)}",
        [
            f"A {colour} {kind.lower()} of {material}, {_cm(size)} long, with {STYLES[style].motif}.",
            f"For followers of the {STYLES[style].name.lower()} style.",
            "Small enough for a bag or a sword bag's cord.",
        ],
        {"material": material, "colour": colour, "length": _cm(size), "breathing style": STYLES[style].name},
        factor,
        style,
    )


def _earring(dice: _Dice) -> _Draft:
    style = dice.style()
    material, factor = dice.pick(
        [("lacquered paper", 0.7), ("acrylic", 0.6), ("sterling silver", 2.4), ("brass", 1.0)]
    )
    clasp = dice.pick(["hook", "clip", "screw back"])
    size, grams = dice.whole(30, 75), dice.whole(2, 9)
    shape = dice.pick(["Hanafuda", "Tassel", "Magatama", "Disc", "Petal"])
    return _Draft(
        f"{STYLES[style].name} {shape} Earrings, {material.title()}, {clasp.title()}",
        [
            f"{shape} earrings of {material} with {STYLES[style].motif}, {size} mm long.",
            f"Each weighs {grams} g and closes with a {clasp}.",
            "Clips suit ears that are not pierced." if clasp != "hook" else "The hooks are free of nickel.",
        ],
        {
            "material": material,
            "length": f"{size} mm",
            "weight": f"{grams} g each",
            "clasp": clasp,
            "breathing style": STYLES[style].name,
        },
        factor,
        style,
    )


def _bag(dice: _Dice) -> _Draft:
    cloth, factor = dice.pick([("canvas", 0.8), ("nylon", 0.7), ("brocade", 1.4), ("waxed cotton", 1.2)])
    colour, length, holds = dice.pick(_COLOURS), dice.whole(105, 135, 5), dice.pick([1, 2, 3])
    lock = dice.chance(0.4)
    swords = ["one sword", "two swords", "three swords"][holds - 1]
    return _Draft(
        f"{colour.title()} {cloth.title()} Bag for {swords.title()}, {_cm(length)}",
        [
            f"A {colour} {cloth} bag for {swords}, {_cm(length)} long inside.",
            "The zip takes a small padlock, which many transport rules ask for."
            if lock
            else "It closes with a cord and cannot be locked.",
            "The shoulder strap can be taken off.",
        ],
        {
            "material": cloth,
            "colour": colour,
            "length": _cm(length),
            "holds": swords,
            "lockable": "yes" if lock else "no",
        },
        factor * (0.8 + 0.2 * holds) * (1.1 if lock else 1.0),
    )


def _wooden_sword(dice: _Dice) -> _Draft:
    wood, fact, factor = dice.pick(_WOODS)
    kind, length = dice.pick(
        [("Bokken", (98, 106)), ("Short Bokken", (52, 60)), ("Suburito", (110, 118)), ("Shinai", (111, 120))]
    )
    if kind == "Shinai":
        wood, fact, factor = _WOODS[4]
    style = dice.style() if dice.chance(0.4) else ANY_STYLE
    size = dice.whole(*length)
    density = {"red oak": 4.6, "white oak": 5.6, "loquat": 5.8, "ebony": 7.4, "bamboo": 4.4}[wood]
    grams = int(
        round(size * density * (1.6 if kind == "Suburito" else 1.0) * (0.95 + 0.1 * dice.rng.random()), -1)
    )
    use = {"Suburito": "strength training", "Shinai": "sparring with armour"}.get(
        kind, "forms and paired practice"
    )
    attributes = {
        "material": wood,
        "length": _cm(size),
        "weight": f"{grams} g",
        "use": use,
        "care": "rub in linseed oil",
    }
    label = ""
    if style >= 0:
        attributes["breathing style"] = STYLES[style].name
        label = f"{STYLES[style].name} "
    return _Draft(
        f"{label}{wood.title()} {kind}, {_cm(size)}, {grams} g",
        [
            f"A {kind.lower()} of {wood}, {_cm(size)} long and {grams} g, for {use}.",
            f"{fact[0].upper()}{fact[1:]}.",
            f"{STYLES[style].motif.capitalize()} is burned into the grip."
            if style >= 0
            else "The grip is left bare.",
            "Check it for splinters before every session.",
            "Care: rub in linseed oil.",
        ],
        attributes,
        factor,
        style,
    )


def _dojo(dice: _Dice) -> _Draft:
    # kind, material, fact, price factor, size in cm from the smallest to the largest, and kg likewise
    kind, material, fact, factor, sizes, weights = dice.pick(
        [
            ("Cutting Stand", "oak", "it holds one rolled mat upright for cutting", 1.6, (70, 110), (8, 18)),
            ("Rolled Mats", "rice straw", "soak them overnight before cutting", 0.6, (60, 100), (2, 12)),
            ("Striking Post", "cedar", "it takes full blows with a wooden sword", 1.8, (120, 190), (14, 40)),
            (
                "Breathing Gourd",
                "gourd",
                "blow into it to train the lungs, gently, because it can burst",
                0.5,
                (25, 150),
                (1, 9),
            ),
            ("Training Weights", "iron sand", "strap them to wrists or ankles", 0.7, (20, 40), (1, 6)),
            (
                "Sparring Armour",
                "bamboo and cotton",
                "it protects head, trunk and hands",
                3.2,
                (60, 90),
                (4, 9),
            ),
        ]
    )
    share, heavier = dice.whole(0, 26) / 26, dice.whole(0, 23) / 23
    size = 5 * round((sizes[0] + share * (sizes[1] - sizes[0])) / 5)
    # What is larger is heavier, mostly.
    kilos = round(weights[0] + (0.7 * share + 0.3 * heavier) * (weights[1] - weights[0]))
    return _Draft(
        f"{dice.pick(WORKSHOPS)} {kind}, {_cm(size)}, {kilos} kg",
        [
            f"{kind} of {material}, {_cm(size)} and {kilos} kg; {fact}.",
            "Made for daily use in a dojo.",
            "Inspect it before each class and replace worn parts.",
        ],
        {"material": material, "size": _cm(size), "weight": f"{kilos} kg", "use": "training"},
        factor,
    )


def _manual(dice: _Dice) -> _Draft:
    style = dice.style()
    topic = dice.pick(
        [
            "First Forms",
            "Footwork",
            "Breath and Stance",
            "Paired Practice",
            "Cutting Basics",
            "A Year of Drills",
        ]
    )
    pages, bound = dice.whole(64, 320, 8), dice.pick(["paperback", "hardback", "stitched in Japanese style"])
    language = dice.pick(["English", "Japanese", "English and Japanese"])
    level = dice.pick(["beginners", "intermediate students", "teachers"])
    return _Draft(
        f"{STYLES[style].name} Style: {topic}, {pages} Pages",
        [
            f"A {pages}-page manual of the {STYLES[style].name.lower()} style for {level}: {topic.lower()}.",
            f"Text in {language}; {bound}.",
            "Each form is shown step by step in line drawings.",
            "It does not replace a teacher.",
        ],
        {
            "pages": str(pages),
            "binding": bound,
            "language": language,
            "level": level,
            "breathing style": STYLES[style].name,
        },
        (0.6 + pages / 400) * (1.5 if bound != "paperback" else 1.0),
        style,
    )


_BUILDERS: dict[str, Callable[[_Dice], _Draft]] = {
    "c-katana": _blade("Katana", (66, 76), (950, 1350)),
    "c-wakizashi": _blade("Wakizashi", (38, 58), (520, 860)),
    "c-tanto": _blade("Tanto", (20, 32), (260, 470)),
    "c-polearms": _polearm,
    "c-sheaths": _sheath,
    "c-guards": _guard,
    "c-wraps": _wrap,
    "c-stands": _stand,
    "c-uniforms": _uniform,
    "c-haori": _haori,
    "c-footwear": _footwear,
    "c-belts": _belt,
    "c-masks": _mask,
    "c-care-kits": _care_kit,
    "c-oils": _oil,
    "c-whetstones": _whetstone,
    "c-charms": _charm,
    "c-earrings": _earring,
    "c-bags": _bag,
    "c-wooden-swords": _wooden_sword,
    "c-dojo": _dojo,
    "c-manuals": _manual,
}


def make_catalogue(count: int, seed: int) -> list[Product]:
    """Makes `count` products, `p-00001` and up, with unique names. The same seed gives the same ones."""
    rng = np.random.default_rng([seed, 1])
    dice = _Dice(rng)
    shares = np.array([leaf.share for leaf in LEAVES])
    leaves = rng.choice(len(LEAVES), size=count, p=shares / shares.sum())
    width = max(5, len(str(count)))
    taken: set[str] = set()
    products = []
    for number, leaf in enumerate(leaves, start=1):
        category = LEAVES[leaf]
        draft = _BUILDERS[category.id](dice)
        for _ in range(12):
            if draft.name not in taken:
                break
            draft = _BUILDERS[category.id](dice)
        name, edition = draft.name, 1
        while name in taken:
            # Only catalogues of many thousands run out of names: the later ones are editions.
            edition += 1
            name = f"{draft.name}, Edition {ROMAN.get(edition, edition)}"
        taken.add(name)
        noise = np.exp(category.spread * 0.5 * rng.standard_normal())
        price = category.price * draft.value * noise
        step = 100 if price >= 3000 else 50
        products.append(
            Product(
                id=f"p-{number:0{width}d}",
                sku=f"HM-{category.id[2:5].upper()}-{number:0{width}d}",
                name=name,
                description=_describe(draft, rng),
                price=int(max(step, round(price / step) * step - (20 if price >= 3000 else 0))),
                category_id=category.id,
                attributes=draft.attributes,
                leaf=int(leaf),
                style=draft.style,
            )
        )
    return products


def _describe(draft: _Draft, rng: np.random.Generator) -> str:
    """Joins the first sentence with some of the others, in their order, so that lengths vary."""
    others = draft.sentences[1:]
    # A warning about what a product is not made for must never be left out.
    kept = [s for s in others if rng.random() < 0.72 or "only" in s or "not made" in s]
    return " ".join([draft.sentences[0], *kept])
