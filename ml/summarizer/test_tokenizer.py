import re

import numpy as np

from summarizer.taxonomy import ISSUES, RESOLUTIONS
from summarizer.tokenizer import rows, vocabulary


def test_the_first_words_of_the_vocabulary_suffice_to_write_summaries_and_none_has_a_digit():
    words, written = vocabulary(500)
    assert len(words) == len(set(words))
    assert not any(re.search(r"\d", word) for word in words)
    letters = {word.removeprefix("##") for word in words[:written]}
    for text in [issue.label for issue in ISSUES.values()] + [r.sentence for r in RESOLUTIONS.values()]:
        for word in re.findall(r"[a-z]+", re.sub(r"\{\w+\}", " ", text.lower())):
            assert word in letters or any(word.startswith(piece) for piece in letters), word
    assert written < 300


def test_words_of_the_wordings_are_known_however_rare():
    words, _ = vocabulary(500)
    assert {"courier", "sofa"} <= set(words)


def test_tokens_that_are_like_the_same_word_have_vectors_of_their_own():
    vectors = np.eye(4, dtype=np.float32)
    made = rows(vectors, [2, 1, 2], seed=1)
    assert np.array_equal(made[0], vectors[2])
    assert np.array_equal(made[1], vectors[1])
    assert not np.array_equal(made[2], made[0])
    assert np.argmax(made[2]) == 2
