"""Support conversations with their references, made of wordings.

A conversation is planned first (what it is about, who says which entity, how it ends), then worded; so what the reference
says is known and nothing has to be guessed from the text.
"""

from __future__ import annotations

import calendar
import random
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass, field

from summarizer.taxonomy import ISSUES, NO_REQUEST, NO_REQUEST_SENTENCE, OPEN, RESOLUTIONS, fill
from summarizer.wordings import PAIR, WORLD, Wordings

_SLOT = re.compile(r"\{(\w+)\}")
_MONTHS = calendar.month_name[1:]
_DAYS = list(calendar.day_name)
# Words of discount codes; what follows is a number.
_CODES = [
    "SAVE",
    "WELCOME",
    "SUMMER",
    "WINTER",
    "HELLO",
    "NEW",
    "VIP",
    "THANKS",
    "EXTRA",
    "BLOOM",
    "AUTUMN",
    "FREESHIP",
]
# Sections of what customers say.
_CUSTOMERS = re.compile(
    r"opening|detail.*/2|resolution\.(?:fixed|no-fix|offer-declined)/2|give|aside|impatient|accept|displeased"
    r"|declined-reaction|nothing-else|(?:close|greet)\.customer|ask\.when|hold\.answer|chitchat$"
)
# Issues on which an answer may add entities of the case, and sections whose entities are none of it.
_TOLD_LATER = ("refund-missing", "wrong-item", "discount", "address")
_ASIDES = re.compile(
    rf"aside|chitchat|impatient|hold\.answer|detail\.(?!(?:{'|'.join(_TOLD_LATER)})/2)"
    r"|ask\.when|accept|displeased|declined-reaction|nothing-else|close\.customer"
)
# Resolutions that leave time to ask when.
_TIMED = {key for key, resolution in RESOLUTIONS.items() if "{due}" in resolution.sentence} - {
    "cancelled",
    "discount-applied",
}
# Matters of no order.
_ORDERLESS = {"sign-in", "product-question", "stock", "account", "other"}
_LONG_SHARE, _EMPTY_SHARE, _CUT_SHARE = 0.06, 0.03, 0.05
# Nothing but the matter and how it ends.
_BRIEF_SHARE = 0.4


@dataclass
class Turn:
    speaker: str
    text: str
    customer: bool


@dataclass(frozen=True)
class Message:
    """One turn alone. `section`: of the wordings; the answer of a pair is of a section of its own, `{section}/2`."""

    section: str
    turn: Turn
    roles: dict[str, str]
    """Entity → its slot; `aside` for those that are none of the case."""


@dataclass(frozen=True)
class Reference:
    issue: str
    summary: str
    resolution: str
    resolved: bool
    entities: tuple[str, ...] = ()
    """The entities in summary and resolution."""


@dataclass
class Conversation:
    turns: list[Turn]
    agent: str
    issue: str | None
    """Of ISSUES; None where the customer wants nothing."""
    ending: str
    concern: dict[str, str] = field(default_factory=dict)
    """Entities of the customer's concern by slot, and of how it ended:"""
    settlement: dict[str, str] = field(default_factory=dict)
    opened: int = 0
    """Turns up to the one that tells the concern, and up to the one that settles it."""
    ended: int = 0
    others: tuple[str, ...] = ()
    """All entities that anybody said, whether the reference names them or not."""
    said: dict[tuple[str, str], int] = field(default_factory=dict)
    """(part, slot) → the number of turns after which the entity is known."""

    def reference(self, upto: int | None = None, rename: dict[str, str] | None = None) -> Reference:
        """What is known after `upto` turns. `rename`: entity → placeholder; entities not in it are left out."""
        upto = len(self.turns) if upto is None else upto
        known: dict[str, dict[str, str]] = {"concern": {}, "settlement": {}}
        for part, entities in (("concern", self.concern), ("settlement", self.settlement)):
            for slot, value in entities.items():
                shown = value if rename is None else rename.get(value)
                if shown is not None and self.said[part, slot] <= upto:
                    known[part][slot] = shown
        concern = known["concern"]
        concern |= {"who": concern.get("name", "the customer"), "what": concern.get("product", "the item")}
        if self.issue is None or upto < self.opened:
            summary, issue = fill(NO_REQUEST_SENTENCE, concern), NO_REQUEST
        else:
            summary, issue = fill(ISSUES[self.issue].sentence, concern), ISSUES[self.issue].label
        resolution = RESOLUTIONS[self.ending if upto >= self.ended else "none"]
        text = fill(resolution.sentence, known["settlement"])
        shown = [v for part in known.values() for s, v in part.items() if s not in ("who", "what")]
        return Reference(
            issue,
            _capital(summary),
            text,
            resolution.resolved,
            tuple(v for v in shown if v in summary or v in text),
        )


class Writer:
    """Makes conversations of the wordings of `authors`; the same seed makes the same."""

    def __init__(self, authors: Sequence[Wordings], seed: int | str) -> None:
        self.authors = authors
        self.random = random.Random(seed)
        self.all: dict[str, list[str]] = {}
        for author in authors:
            for section, lines in author.items():
                self.all.setdefault(section, []).extend(lines)

    def conversation(self) -> Conversation:
        return _Draft(self.all, self.random.choice(self.authors), self.random).conversation()

    def messages(self) -> list[Message]:
        """Every message of the wordings once, as if in a conversation of its own; in random order."""
        made = [
            _Draft(self.all, author, self.random).message(section, text)
            for author in self.authors
            for name, lines in author.items()
            if name not in WORLD
            for line in lines
            for section, text in zip((name, f"{name}/2"), line.split(PAIR, 1), strict=False)
        ]
        self.random.shuffle(made)
        return made


class _Draft:
    def __init__(self, everybody: Wordings, mine: Wordings, rng: random.Random) -> None:
        self.rng = rng
        self.all = everybody
        # One voice in some of the conversations, any mixture in the others.
        self.mine = mine if rng.random() < 0.35 else everybody
        self.currency = rng.choice(["¥", "$", "£", "€", "yen", "dollars", "euros", "$", "£", "¥"])
        self.turns: list[Turn] = []
        self.spoken: list[str] = []
        self.issue = rng.choice(list(ISSUES))
        self.entities: dict[str, dict[str, str]] = {"concern": {}, "settlement": {}, "aside": {}}
        self.said: dict[tuple[str, str], int] = {}
        self.name = self.world("names")
        self.agent = self.world("agents")
        self.labels = self.world("speakers").split("|")
        if len(self.labels) != 2:
            self.labels = ["Customer", "Agent"]
        self.labels[0] = self.labels[0].replace("{name}", self.name)
        if rng.random() < 0.08:
            self.labels = [self.name.split(" ")[0], self.agent]

    # --- words

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def world(self, section: str) -> str:
        return self.rng.choice(self.all[section])

    def line(self, section: str) -> str:
        return self.rng.choice(self.mine.get(section) or self.all[section])

    def customer(self, text: str, part: str = "concern") -> None:
        self.say(text, part, customer=True)

    def agent_says(self, text: str, part: str = "aside") -> None:
        self.say(text, part, customer=False)

    def say(self, text: str, part: str, customer: bool) -> None:
        text = _SLOT.sub(lambda match: self.entity(match[1], part), text)
        self.turns.append(
            Turn(
                self.labels[0] if customer else self.labels[1].replace("{agent}", self.agent), text, customer
            )
        )
        for slots in self.entities.items():
            for slot in slots[1]:
                self.said.setdefault((slots[0], slot), len(self.turns))

    def entity(self, slot: str, part: str) -> str:
        """One value for a slot in each part; names and products of the case are the same in all parts but asides."""
        value = self._entity(slot, part)
        self.spoken.append(value)
        return value

    def _entity(self, slot: str, part: str) -> str:
        if slot == "agent":
            return self.agent
        if part == "aside" and slot in ("name", "email"):
            part = "concern" if slot == "name" else "aside"
        if part == "settlement" and slot in ("product", "order", "name"):
            part = "concern"
        if (
            part == "settlement"
            and slot in ("product2", "amount")
            and slot in self.entities["concern"]
            and (slot == "product2" or self.chance(0.4))
        ):
            self.entities["settlement"][slot] = self.entities["concern"][slot]
        values = self.entities[part]
        if part == "settlement" and slot == "email" and self.mail:
            values.setdefault(slot, self.mail)
        if part == "aside":
            # Each remark has its own.
            values[slot] = self.fresh(slot)
        elif slot not in values:
            values[slot] = self.fresh(slot)
        return values[slot]

    mail: str | None = None
    brief = False

    def fresh(self, slot: str) -> str:
        """A value that no other entity of the conversation has."""
        taken = {value for values in self.entities.values() for value in values.values()}
        for _ in range(20):
            value = self.value(slot)
            if value not in taken:
                break
        return value

    def value(self, slot: str) -> str:
        rng = self.rng
        match slot:
            case "order":
                return _shape(rng, re.sub(r"^(?:No|Nr)\.? ", "", self.world("orders")))
            case "ticket":
                return _shape(
                    rng, rng.choice(["CS-#####", "T#######", "#######", "CASE-####", "@@-#####", "REF######"])
                )
            case "code":
                return rng.choice(_CODES) + str(rng.choice([5, 10, 15, 20, 25, 30]))
            case "product" | "product2":
                return self.world("products")
            case "name":
                return self.name
            case "amount" | "amount2":
                return _money(rng, self.currency)
            case "past" | "due":
                return _day(rng, slot == "past")
            case "days":
                return rng.choice(
                    ["2", "3", "5", "7", "10", "14", "3 to 5", "5-7", "2-3", "21", "30", "7 to 10", "1-2"]
                )
            case "size":
                return rng.choice(["S", "M", "L", "XL", "XS", "36", "38", "40", "42", "44"])
            case "year":
                return str(rng.randint(2012, 2025))
            case "phone":
                return _shape(
                    rng,
                    rng.choice(
                        [
                            "+44 20 #### ####",
                            "0##-####-####",
                            "(###) ###-####",
                            "+49 30 #######",
                            "+81 90 #### ####",
                        ]
                    ),
                )
            case "email":
                first, *rest = [re.sub(r"[^a-z]", "", part.lower()) or "me" for part in self.name.split(" ")]
                host = rng.choice(["example.com", "mail.example", "post.example.org", "example.net"])
                return (
                    rng.choice(
                        [
                            f"{first}.{'.'.join(rest) or 'x'}",
                            f"{first}{rng.randint(1, 99)}",
                            first[0] + "".join(rest),
                        ]
                    )
                    + "@"
                    + host
                )
            case "address":
                street, city = self.world("streets"), _shape(rng, self.world("cities"))
                number = str(rng.randint(1, 240))
                return f"{number} {street}, {city}" if self.chance(0.7) else f"{street} {number}, {city}"
        raise ValueError(f"there is no slot {{{slot}}}")

    # --- scenes

    def message(self, section: str, text: str) -> Message:
        part = "aside" if _ASIDES.match(section) else "concern"
        if section.startswith("opening"):
            text = self.among_others(text)
        self.say(text, part, customer=_CUSTOMERS.match(section) is not None)
        self.noise(self.turns)
        roles = {value: slot for slot, value in self.entities["concern"].items()}
        roles |= dict.fromkeys(self.entities["aside"].values(), "aside")
        return Message(section, self.turns[0], {self.agent: "agent"} | roles)

    def conversation(self) -> Conversation:
        rng = self.rng
        if self.chance(_EMPTY_SHARE):
            return self.empty()
        long = self.chance(_LONG_SHARE)
        self.brief = not long and self.chance(_BRIEF_SHARE)
        if self.chance(0.45) and not self.brief:
            self.agent_says(self.line("greet.agent"))
        if self.chance(0.25):
            self.customer(self.line("greet.customer"))
        self.opening()
        opened = len(self.turns)
        if self.chance(0.5) and not self.brief:
            self.agent_says(self.line("empathy"))
        scenes = [self.details] * rng.choice([0, 1, 1, 2]) + [self.small_talk] * rng.choice([0, 0, 0, 1])
        if self.issue not in _ORDERLESS and "order" not in self.entities["concern"] and self.chance(0.6):
            scenes.append(self.ask_order)
        if "name" not in self.entities["concern"] and self.chance(0.35):
            scenes.append(self.ask_name)
        if self.chance(0.12):
            scenes.append(self.ask_email)
        if self.chance(0.15):
            scenes.append(self.aside)
        if self.chance(0.08):
            scenes.append(self.transfer)
        if long:
            scenes += [
                rng.choice([self.small_talk, self.aside, self.details, self.waiting, self.small_talk])
                for _ in range(rng.randint(8, 40))
            ]
        if self.brief:
            scenes = scenes[:1] if self.chance(0.3) else []
        rng.shuffle(scenes)
        for scene in scenes:
            scene()
        if self.chance(0.35) and not self.brief:
            self.waiting()
        endings = OPEN if self.chance(0.3) else [e for e in ISSUES[self.issue].endings if e not in OPEN]
        ending = "none" if self.chance(_CUT_SHARE) else rng.choice(endings)
        ended = self.ending(ending)
        concern = dict(self.entities["concern"])
        for slot in ("amount", "product2", "address", "code"):
            if f"{{{slot}}}" not in ISSUES[self.issue].sentence:
                concern.pop(slot, None)
        if "amount2" in concern:
            concern.pop("amount", None)
        concern = {
            slot: value
            for slot, value in concern.items()
            if slot in {"name", "product"} or f"{{{slot}}}" in ISSUES[self.issue].sentence
        }
        settled = {
            slot: value
            for slot, value in self.entities["settlement"].items()
            if f"{{{slot}}}" in RESOLUTIONS[ending].sentence
        }
        made = Conversation(
            self.turns,
            self.agent,
            self.issue,
            ending,
            concern,
            settled,
            opened,
            ended,
            tuple(self.spoken),
            self.said,
        )
        self.noise(self.turns)
        return made

    def empty(self) -> Conversation:
        """Nothing is asked: greetings, small talk, or no language at all."""
        rng = self.rng
        if self.chance(0.3):
            letters = string.ascii_lowercase + "😀🙏🔥✨❤️👍…?!"
            for _ in range(rng.randint(1, 4)):
                self.customer(
                    " ".join(
                        "".join(rng.choices(letters, k=rng.randint(1, 9))) for _ in range(rng.randint(1, 12))
                    )
                )
        else:
            if self.chance(0.4):
                self.agent_says(self.line("greet.agent"))
            if self.chance(0.7):
                self.customer(self.line("greet.customer"))
            for _ in range(rng.choice([0, 0, 1, 2])):
                self.small_talk()
        if not self.turns:
            self.customer(self.line("greet.customer"))
        return Conversation(self.turns, self.agent, None, "none", {}, {}, 0, 0, tuple(self.spoken), self.said)

    def opening(self) -> None:
        text = self.among_others(self.line(f"opening.{self.issue}"))
        self.customer(text)

    def among_others(self, text: str) -> str:
        """Now and then a greeting before it, or a remark after it, whose entities are none of the case."""
        if self.chance(0.12):
            text = _joined(self.line("greet.customer"), text)
        if self.chance(0.08):
            text = _joined(text, _SLOT.sub(lambda match: self.entity(match[1], "aside"), self.line("aside")))
        return text

    def details(self) -> None:
        question, answer = self.pair(f"detail.{self.issue}")
        if any(turn.text == question for turn in self.turns):
            return
        self.agent_says(question)
        self.customer(answer, "concern" if self.issue in _TOLD_LATER else "aside")

    def pair(self, section: str) -> tuple[str, str]:
        first, _, second = self.line(section).partition(PAIR)
        return first, second or first

    def ask_order(self) -> None:
        self.agent_says(self.line("ask.order"))
        self.customer(self.line("give.order"))

    def ask_name(self) -> None:
        self.agent_says(self.line("ask.name"))
        self.customer(self.line("give.name"))

    def ask_email(self) -> None:
        self.agent_says(self.line("ask.email"))
        self.mail = self.entities["aside"]["email"] = self.value("email")
        self.customer(self.line("give.email").replace("{email}", self.mail))

    def aside(self) -> None:
        self.customer(self.line("aside"), "aside")

    def small_talk(self) -> None:
        said, answered = self.pair("chitchat")
        self.customer(said, "aside")
        self.agent_says(answered)

    def waiting(self) -> None:
        self.agent_says(self.line("hold"))
        if self.chance(0.6):
            self.customer(self.line("hold.answer" if self.chance(0.7) else "impatient"), "aside")

    def transfer(self) -> None:
        leaving, coming = self.pair("transfer")
        self.agent_says(leaving)
        self.agent = self.world("agents")
        self.agent_says(coming)

    def ending(self, ending: str) -> int:
        """Says how it ends. Returns the number of turns after which it is settled, or known to be open."""
        if ending == "none":
            return len(self.turns)
        if self.chance(0.12) and ending not in ("fixed", "no-fix", "offer-declined", "information"):
            # Something is tried first, and does not end it.
            if self.issue in ("defective", "sign-in", "discount", "payment-failed") and self.chance(0.6):
                self.two(self.pair("resolution.no-fix"), "aside")
            elif self.issue in ("damaged", "late-delivery", "wrong-item", "overcharged", "missing-item"):
                self.two(self.pair("resolution.offer-declined"), "aside")
        if ending in ("fixed", "no-fix", "offer-declined"):
            self.two(self.pair(f"resolution.{ending}"), "settlement")
        elif ending == "customer-left":
            asking, leaving = self.pair("resolution.customer-left")
            self.agent_says(asking)
            self.agent_says(leaving)
        else:
            told = self.line(f"resolution.{ending}")
            self.agent_says(_joined(self.line("empathy"), told) if self.chance(0.12) else told, "settlement")
        ended = len(self.turns)
        if ending == "customer-left":
            return ended
        if ending in _TIMED and self.chance(0.25):
            if self.chance(0.7):
                self.customer(self.line("ask.when"), "aside")
            answer = self.line("tell.when")
            # Two times for one thing would be told as one by nobody.
            if not ({"due", "days"} & set(self.entities["settlement"])):
                self.agent_says(answer, "settlement")
        if self.brief and self.chance(0.5):
            return ended
        reactions = {"refused": "declined-reaction"}
        reaction = "accept" if RESOLUTIONS[ending].resolved else reactions.get(ending, "displeased")
        if self.chance(0.85) and ending not in ("offer-declined", "no-fix", "fixed"):
            self.customer(self.line(reaction), "aside")
        if self.chance(0.35):
            self.agent_says(self.line("anything-else"))
            if self.chance(0.8):
                self.customer(self.line("nothing-else"), "aside")
        if self.chance(0.4):
            self.agent_says(self.line("close.agent"))
        if self.chance(0.2):
            self.customer(self.line("close.customer"), "aside")
        return ended

    def two(self, pair: tuple[str, str], part: str) -> None:
        self.agent_says(pair[0], part)
        self.customer(pair[1], part)

    # --- how people type

    def noise(self, turns: list[Turn]) -> None:
        """Small letters, slips and missing full stops in what the customer wrote; entities stay as they are."""
        small, slips, bare = self.chance(0.2), self.chance(0.3), self.chance(0.2)
        values = sorted(
            {v for part in self.entities.values() for v in part.values()} | {self.name, self.agent},
            key=len,
            reverse=True,
        )
        kept = re.compile("|".join(map(re.escape, values))) if values else None
        for turn in turns:
            if not turn.customer:
                continue
            pieces, at = [], 0
            for match in kept.finditer(turn.text) if kept else ():
                pieces += [self.typed(turn.text[at : match.start()], small, slips), match[0]]
                at = match.end()
            pieces.append(self.typed(turn.text[at:], small, slips))
            turn.text = "".join(pieces)
            if bare:
                turn.text = turn.text.rstrip(".")

    def typed(self, text: str, small: bool, slips: bool) -> str:
        if small:
            text = text.lower()
        if not slips:
            return text

        def slip(match: re.Match[str]) -> str:
            word = match[0]
            if not self.chance(0.04):
                return word
            at = self.rng.randrange(1, len(word) - 1)
            kind = self.rng.random()
            if kind < 0.4:
                return word[:at] + word[at + 1 :]
            if kind < 0.7:
                return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
            return word[:at] + word[at] + word[at:]

        return re.sub(r"[A-Za-z]{4,}", slip, text)


def _joined(first: str, second: str) -> str:
    """Two messages in one, as sentences of their own."""
    return f"{first}{'' if first[-1] in '.!?…,' else '.'} {second}"


def _shape(rng: random.Random, shape: str) -> str:
    shape = re.sub("#", lambda _: str(rng.randint(0, 9)), shape)
    return re.sub("@", lambda _: rng.choice("ABCDEFGHJKLMNPRSTUVWXYZ"), shape)


def _money(rng: random.Random, currency: str) -> str:
    if currency in ("¥", "yen"):
        value = rng.choice([rng.randint(3, 99) * 100, rng.randint(10, 480) * 100, rng.randint(800, 48000)])
        shown = f"{value:,}" if rng.random() < 0.75 else str(value)
    else:
        value = rng.choice([rng.randint(5, 250), rng.randint(500, 25000) / 100])
        shown = f"{value:.2f}" if isinstance(value, float) else str(value)
    return f"{currency}{shown}" if len(currency) == 1 else f"{shown} {currency}"


def _day(rng: random.Random, past: bool) -> str:
    month, number = rng.randrange(12), rng.randint(1, 28)
    day = f"{number}{'th' if 4 <= number <= 20 or number >= 24 else {1: 'st', 2: 'nd', 3: 'rd'}[number % 10]}"
    return rng.choice(
        [
            f"{number} {_MONTHS[month]}",
            f"{_MONTHS[month]} {number}",
            f"{_MONTHS[month]} {day}",
            f"{day} {_MONTHS[month]}",
            f"{number:02}/{month + 1:02}",
            f"{number} {_MONTHS[month][:3]}",
            f"{'last' if past else 'next'} {rng.choice(_DAYS)}",
            rng.choice(_DAYS),
            f"2026-{month + 1:02}-{number:02}",
        ]
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
