"""Words the synthetic shop is made of: breathing styles, workshops, names of swords and of people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Style:
    """A breathing style. `followers` is its relative weight among products."""

    name: str
    colour: str
    motif: str
    followers: float


STYLES = [
    Style("Water", "deep blue", "a breaking wave", 14),
    Style("Flame", "flame red", "a rising flame", 12),
    Style("Thunder", "yellow", "a forked bolt", 11),
    Style("Wind", "green", "a whirl of leaves", 8),
    Style("Stone", "grey", "a cut cliff", 6),
    Style("Mist", "pale white", "a bank of mist", 7),
    Style("Serpent", "lavender grey", "a coiled snake", 5),
    Style("Love", "pink", "a looped ribbon", 7),
    Style("Insect", "light purple", "a butterfly", 9),
    Style("Sound", "amber", "a row of beads", 5),
    Style("Flower", "peach", "a plum blossom", 6),
    Style("Beast", "indigo grey", "a row of fangs", 6),
    Style("Sun", "black", "a rayed disc", 4),
    Style("Moon", "violet", "a crescent", 3),
]

WORKSHOPS = [
    "Hagane Works", "Kitayama Forge", "Old Mill Forge", "Tetsuno", "Seki Yard", "Fujikura", "Akatsuki Forge",
    "Three Rivers", "Ironbell", "Minowa", "Kajiya Lane", "Bizen House", "Cedar Gate", "Sakai Row", "Nagare",
    "Hidden Valley Smiths",
]  # fmt: skip

_FIRST = [
    "Ao", "Aka", "Kage", "Kiri", "Shira", "Kuro", "Hoshi", "Tsuki", "Hi", "Ama", "Iwa", "Yuki", "Nami", "Mori",
    "Kaze", "Hana", "Take", "Matsu", "Sora", "Ura", "Haya", "Tomo", "Oni", "Ryu", "Asa", "Yoru", "Natsu", "Aki",
    "Fuyu", "Haru", "Kawa", "Umi", "Sugi", "Fuji", "Kure", "Shio",
]  # fmt: skip
_SECOND = [
    "maru", "kiri", "yama", "nami", "kaze", "hane", "tsume", "gari", "bana", "zuki", "gumo", "tori", "hime", "gawa",
    "shigure", "arashi", "homura", "sazanami", "oroshi", "kagami", "boshi", "shizuku", "kiba", "ba", "same", "no",
    "midare", "tachi",
]  # fmt: skip
ROMAN = {2: "II", 3: "III", 4: "IV", 5: "V", 6: "VI", 7: "VII", 8: "VIII", 9: "IX", 10: "X"}

GIVEN_NAMES = [
    "Aiko", "Akira", "Amara", "Ana", "Asahi", "Ayumi", "Ben", "Chiara", "Chloe", "Daichi", "Daniel", "Elena", "Emi",
    "Emma", "Farah", "Felix", "Fumiko", "Grace", "Hana", "Haruka", "Haruto", "Hiro", "Ibrahim", "Ines", "Isamu",
    "Jin", "Jonas", "Julia", "Kaito", "Kaori", "Kenji", "Kenta", "Lea", "Leo", "Lin", "Lucas", "Maria", "Mateo",
    "Mei", "Mia", "Mika", "Minh", "Miyu", "Naoki", "Naomi", "Nina", "Noah", "Olivia", "Omar", "Priya", "Ren", "Rin",
    "Riku", "Rosa", "Sakura", "Sam", "Sara", "Satoshi", "Shin", "Sofia", "Sora", "Sota", "Takumi", "Theo", "Tomas",
    "Yui", "Yuki", "Yuna", "Zoe",
]  # fmt: skip
FAMILY_NAMES = [
    "Abe", "Andersson", "Arai", "Bauer", "Brown", "Chen", "Costa", "Diaz", "Endo", "Ferrari", "Fujita", "Garcia",
    "Goto", "Hara", "Hasegawa", "Hayashi", "Hoffmann", "Ito", "Jensen", "Kato", "Kaur", "Kim", "Kimura", "Kobayashi",
    "Kowalski", "Lee", "Maeda", "Martin", "Matsumoto", "Mori", "Moreau", "Murakami", "Nakamura", "Nguyen", "Novak",
    "Ogawa", "Okada", "Patel", "Rossi", "Saito", "Sato", "Schmidt", "Shimizu", "Silva", "Singh", "Smith", "Suzuki",
    "Takahashi", "Tanaka", "Ueda", "Wang", "Watanabe", "Wilson", "Yamada", "Yamamoto", "Yoshida",
]  # fmt: skip


def given_name(rng: np.random.Generator) -> str:
    """A name as smiths give to a sword, such as Aonami or Kiriarashi."""
    first, second = _FIRST[int(rng.integers(len(_FIRST)))], _SECOND[int(rng.integers(len(_SECOND)))]
    # "Namanami" and "Kirikiri" read like slips.
    while second.startswith(first.lower()[:3]):
        second = _SECOND[int(rng.integers(len(_SECOND)))]
    return first + second
