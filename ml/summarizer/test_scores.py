import pytest

from summarizer.conversations import Conversation, Reference, Turn
from summarizer.scores import Judged, kind, score
from summarizer.taxonomy import RESOLUTIONS, fill

MADE = Conversation(
    [Turn("Customer", "My lamp HM-1 broke", True), Turn("Agent", "A new one comes Friday", False)],
    "Mia",
    "defective",
    "replacement",
    {"order": "HM-1"},
    {"due": "Friday"},
    opened=1,
    ended=2,
    said={("concern", "order"): 1, ("settlement", "due"): 2},
)


def judged(**changes):
    reference = MADE.reference()
    fields = {
        "issue": reference.issue,
        "summary": reference.summary,
        "resolution": reference.resolution,
        "resolved": reference.resolved,
        "entities": reference.entities,
    }
    return score([Judged(MADE, Reference(**(fields | changes)))], lambda *_: {"rouge1": 1.0})


def test_a_summary_that_is_its_reference_is_right():
    scores = judged()
    assert scores == dict.fromkeys(
        ("entity", "keyIssue", "resolution", "resolved", "facts", "wellFormed"), 1
    ) | {"rouge1": 100}


@pytest.mark.parametrize("entities", [("HM-1",), ("HM-1", "Friday", "12"), ()])
def test_an_entity_that_is_missing_or_one_too_many_counts(entities):
    scores = judged(entities=entities)
    assert scores["entity"] < 1
    assert scores["facts"] == 0


def test_what_is_not_well_formed_is_wrong_in_all():
    scores = score([Judged(MADE, None)], lambda *_: {})
    assert set(scores.values()) == {0}


@pytest.mark.parametrize("name", list(RESOLUTIONS))
def test_a_resolution_is_known_with_and_without_its_entities(name):
    template = RESOLUTIONS[name].sentence
    slots = ("due", "days", "amount", "email", "code", "address", "product2", "size", "ticket", "phone")
    assert kind(fill(template, {})) == name
    assert kind(fill(template, dict.fromkeys(slots, "X 1"))) == name
