import judge
import pytest

TURNS = [
    {"speaker": "Customer", "text": "My Moonlit Lamp, order HM-104, broke on 3 May. Yours, Rosa"},
    {"speaker": "Agent", "text": "A refund of $45.90 is on its way."},
]
ROW = {
    "turns": TURNS,
    "all": ["Moonlit Lamp", "HM-104", "3 May", "$45.90", "Rosa"],
    "entities": ["Moonlit Lamp", "$45.90"],
    "issue": "Faulty item",
    "summary": "Moonlit Lamp is faulty.",
    "resolution": "A refund of $45.90 was issued.",
    "resolved": True,
}
RIGHT = {
    "summary": "Moonlit Lamp is faulty. A refund of $45.90 was issued.",
    "keyIssue": "Faulty item",
    "resolution": "A refund of $45.90 was issued.",
    "resolved": True,
    "by": "model",
    "ms": 10.0,
}


def test_a_summary_that_tells_what_the_reference_tells_is_right():
    _, headline = judge.score([ROW], [RIGHT])
    assert headline == {
        "entity": 1,
        "keyIssue": 1,
        "resolved": 1,
        "wellFormed": 1,
        "unfaithfulServed": 0,
        "msPerConversation": 10.0,
    }


@pytest.mark.parametrize(
    ("summary", "entity"),
    [
        ("Moonlit Lamp is faulty.", 1 / 2),
        ("Moonlit Lamp is faulty. Rosa got $45.90.", 2 / 3),
        ("Something is faulty.", 0),
    ],
)
def test_a_missing_entity_and_one_too_many_count_alike(summary, entity):
    _, headline = judge.score([ROW], [RIGHT | {"summary": summary}])
    assert headline["entity"] == pytest.approx(entity, abs=1e-4)


@pytest.mark.parametrize("word", ["$46", "HM-105", "Kenji", "12"])
def test_a_number_or_a_name_from_nowhere_is_found(word):
    assert judge.unfounded(f"The lamp of {word} is faulty.", TURNS) == [word.strip("$")]


def test_what_was_said_is_founded_whatever_its_case():
    assert judge.unfounded("The moonlit lamp, order hm-104: Rosa was paid $45.90 for it.", TURNS) == []
    assert judge.unfounded("Customers like lamps. Nobody knows.", TURNS) == []


def test_the_held_out_conversations_are_the_same_every_time():
    file = judge.Path(judge.__file__).with_name("held_out.txt")
    made = judge.make(file, 20, 1)
    assert made == judge.make(file, 20, 1)
    for row in made:
        assert set(row["entities"]) <= {*row["all"]}
