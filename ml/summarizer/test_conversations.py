"""What the generator says of its conversations must be true of them."""

import re
from collections import Counter
from pathlib import Path

import pytest

from summarizer import wordings
from summarizer.conversations import Writer
from summarizer.examples import example, roles
from summarizer.taxonomy import ISSUES, RESOLUTIONS, fill
from summarizer.train import masker

SLOTS = {
    "order",
    "product",
    "product2",
    "name",
    "agent",
    "amount",
    "amount2",
    "past",
    "due",
    "days",
    "email",
    "phone",
    "address",
    "ticket",
    "code",
    "size",
    "year",
}
AUTHORS = [pytest.param(wordings.training(), id="training")] + [
    pytest.param([wordings.read(Path(file))], id=Path(file).stem)
    for file in (
        Path(__file__).parent / "judging/development.txt",
        Path(__file__).parents[2] / "test/evaluation/summary/held_out.txt",
    )
]


@pytest.mark.parametrize("authors", AUTHORS)
def test_every_issue_and_every_ending_comes_up(authors):
    writer = Writer(authors, seed=1)
    made = [writer.conversation() for _ in range(1500)]
    assert {one.issue for one in made} == {*ISSUES, None}
    assert {one.ending for one in made} == set(RESOLUTIONS)


@pytest.mark.parametrize("authors", AUTHORS)
def test_what_a_reference_names_was_said(authors):
    writer = Writer(authors, seed=2)
    for _ in range(500):
        made = writer.conversation()
        said = "\n".join(turn.text for turn in made.turns)
        for entity in made.reference().entities:
            assert entity in said


def test_before_it_is_settled_nothing_is_settled():
    writer = Writer(wordings.training(), seed=3)
    for _ in range(300):
        made = writer.conversation()
        early = made.reference(upto=made.ended - 1)
        assert early.resolution == RESOLUTIONS["none"].sentence
        assert not early.resolved


def test_the_same_seed_makes_the_same_conversations():
    one, other = (Writer(wordings.training(), seed=4) for _ in range(2))
    assert [one.conversation() for _ in range(20)] == [other.conversation() for _ in range(20)]


def test_examples_hold_no_digit_and_name_only_what_is_read():
    writer, mask = Writer(wordings.training(), seed=5), masker()
    found = Counter()
    for _ in range(300):
        made = writer.conversation()
        source, target, masked = example(mask, made)
        assert not any(character.isdigit() for character in _without_placeholders(source + target))
        assert all(name in source for name in masked.values if name in target)
        entities = [*made.concern.values(), *made.settlement.values()]
        found.update(masked.placeholder(entity) is not None for entity in entities)
    assert found[True] / found.total() > 0.99, "entities that are recognised as such"


def test_a_later_part_of_a_conversation_begins_with_what_is_known():
    writer, mask = Writer(wordings.training(), seed=6), masker()
    made = next(one for one in iter(writer.conversation, None) if len(one.turns) > 8 and one.opened < 4)
    source, _, _ = example(mask, made, begin=5)
    assert source.splitlines()[1].startswith("Summary so far: " + ISSUES[made.issue].label)


def test_no_wording_of_the_judging_authors_is_in_training():
    def lines(authors):
        return {
            line.lower()
            for author in authors
            for section, lines in author.items()
            if section not in wordings.WORLD
            for line in lines
            # "Thanks, bye" is nobody's own.
            if len(line.split()) > 3
        }

    training = lines(wordings.training())
    for parameter in AUTHORS[1:]:
        assert not training & lines(parameter.values[0])


PAIRS = (
    "detail.",
    "chitchat",
    "transfer",
    "resolution.fixed",
    "resolution.no-fix",
    "resolution.offer-declined",
    "resolution.customer-left",
)


@pytest.mark.parametrize("authors", AUTHORS)
def test_wordings_have_known_sections_and_slots_and_no_digits_of_their_own(authors):
    known = set(wordings.read(wordings.FOLDER / "plain.txt"))
    for author in authors:
        assert set(author) <= known
        for section, lines in author.items():
            if section in wordings.WORLD:
                continue
            for line in lines:
                assert not any(c.isdigit() for c in re.sub(r"\{\w+\}", "", line)), line
                assert set(re.findall(r"\{(\w+)\}", line)) <= SLOTS, line
                assert (wordings.PAIR in line) == section.startswith(PAIRS), line


def test_optional_parts_of_a_template_go_with_their_entity():
    assert fill("Sent[ to {email}][, due {due}].", {"due": "Friday"}) == "Sent, due Friday."


@pytest.mark.parametrize(
    ("labels", "called"),
    [
        (["Guest", "Mia"], ["Customer", "Agent"]),
        (["Support", "rosa"], ["Agent", "Customer"]),
        (["rosa", "mia"], ["rosa", "mia"]),
    ],
)
def test_labels_tell_who_is_who(labels, called):
    assert list(roles(labels).values()) == called


def _without_placeholders(text):
    return re.sub(r"<[A-Z]+_\d+>", "", text)


def test_every_message_of_the_wordings_comes_once_and_is_said_by_whom_it_is_of():
    authors = [
        {
            "opening.damaged": ["My {product} is broken."],
            "detail.damaged": ["Was the box damaged? => No, only the {product}."],
            "resolution.refund": ["I refunded {amount}."],
            "resolution.fixed": ["Try again? => Works!"],
            "chitchat": ["Nice weather. => Lovely."],
            "greet.customer": ["Hello."],
            "aside": ["I like it here."],
            "products": ["Moonlit Lamp"],
            "names": ["Rosa Delgado"],
            "agents": ["Mia"],
            "speakers": ["Customer|Agent"],
        }
    ]
    made = Writer(authors, seed=1).messages()
    assert sorted((message.section, message.turn.customer) for message in made) == [
        ("aside", True),
        ("chitchat", True),
        ("chitchat/2", False),
        ("detail.damaged", False),
        ("detail.damaged/2", True),
        ("greet.customer", True),
        ("opening.damaged", True),
        ("resolution.fixed", False),
        ("resolution.fixed/2", True),
        ("resolution.refund", False),
    ]
    told = {message.section: message for message in made}
    assert "Moonlit Lamp" in told["opening.damaged"].turn.text
    assert told["opening.damaged"].roles["Moonlit Lamp"] == "product"
    assert told["detail.damaged/2"].roles["Moonlit Lamp"] == "aside"
    [amount] = [value for value, role in told["resolution.refund"].roles.items() if role == "amount"]
    assert amount in told["resolution.refund"].turn.text
