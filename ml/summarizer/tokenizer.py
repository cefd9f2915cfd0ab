"""The tokenizer of a model from scratch: words of all-MiniLM-L6-v2, by which it reads (reader.py), and tokens that are no words.

What the decoder may write comes first: fields, placeholders, and the words of summaries. It knows no other token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from embedder.build import weights_folder

from summarizer import wordings
from summarizer.entities import OVERFLOW, SPEC
from summarizer.examples import FIELDS
from summarizer.taxonomy import ISSUES, NO_REQUEST, summary_words

PAD, UNKNOWN, END = "<pad>", "<unk>", "</s>"
# Where a line begins. The encoder looks for it.
LINE = "\n"
# Words that everybody knows, for the masker and to tell English from other languages.
COMMON = 10_000

# What stands in the sentence encoder's vocabulary for a token that it does not have.
_LIKE = {LINE: "[CLS]", END: "[SEP]", PAD: "[PAD]", UNKNOWN: "[UNK]"}
_LIKE_FAMILY = {
    "NAME": "name",
    "CODE": "number",
    "AMOUNT": "price",
    "DATE": "date",
    "ADDRESS": "address",
    "EMAIL": "email",
    "PHONE": "phone",
    "LINK": "website",
    "NUMBER": "number",
    "SIZE": "size",
    "OTHER": "number",
}
_USABLE = re.compile(r"^(##)?([a-z]+|[.,:;!?'\"()&/%*+-])$")


def specials() -> list[str]:
    """Fields and placeholders."""
    most = json.loads(SPEC.read_text())["most"]
    return [
        *FIELDS,
        OVERFLOW,
        *(f"<{family}_{n + 1}>" for family, count in most.items() for n in range(count)),
    ]


def known_words() -> dict[str, int]:
    """Words and pieces of the sentence encoder → their place, the most frequent first. Digits are never left to the model."""
    words = json.loads((weights_folder(None) / "tokenizer.json").read_text())["model"]["vocab"]
    in_order = sorted(words.items(), key=lambda item: item[1])
    return {word: place for word, place in in_order if _USABLE.match(word)}


def common_words(size: int = COMMON) -> list[str]:
    whole = [word for word in known_words() if not word.startswith("##") and len(word) > 1]
    return whole[:size]


def vocabulary(frequent: int) -> tuple[list[str], int]:
    """The `frequent` most frequent words, all that the wordings use, and pieces for the others; and how many of
    the first ones suffice to write summaries."""
    known = known_words()
    single = [word for word in known if len(word.removeprefix("##")) == 1]
    pieces = [word for word in known if word.startswith("##") and len(word) > 3][: frequent // 4]
    said = set(wordings.words(wordings.training()))
    whole = common_words(len(known))
    chosen = [word for at, word in enumerate(whole) if at < frequent or word in said]
    labels = " ".join([NO_REQUEST, *(issue.label for issue in ISSUES.values())])
    words = {*summary_words(), *re.findall(r"[a-z]+", labels.lower()), ".", ",", "'"}
    written = {piece for word in words for piece in _pieces(word, known)}
    first = sorted(written)
    return [*first, *(word for word in [*single, *pieces, *chosen] if word not in written)], len(first)


def _pieces(word: str, known: Mapping[str, int]) -> list[str]:
    """As WordPiece cuts a word: always the longest piece that is known."""
    pieces, begin = [], 0
    while begin < len(word):
        mark = "##" if begin else ""
        end = next(end for end in range(len(word), begin, -1) if mark + word[begin:end] in known)
        pieces.append(mark + word[begin:end])
        begin = end
    return pieces


def build(frequent: int, out: Path) -> tuple[list[int], int]:
    """Writes tokenizer files for transformers into `out`.

    Returns for each token what it is, or is like, in the sentence encoder's vocabulary; and the number of tokens that can be
    written.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words, written = vocabulary(frequent)
    control = [PAD, END, UNKNOWN, LINE, *specials()]
    order = {token: index for index, token in enumerate([*control, *words])}
    tokenizer = Tokenizer(models.WordPiece(order, unk_token=UNKNOWN, max_input_chars_per_word=40))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=True)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", pair=None, special_tokens=[(END, order[END])]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        unk_token=UNKNOWN,
        additional_special_tokens=[AddedToken(token, special=True) for token in [LINE, *specials()]],
    )
    fast.save_pretrained(out)
    whole = json.loads((weights_folder(None) / "tokenizer.json").read_text())["model"]["vocab"]
    return [whole[_like(token)] for token in order], len(control) + written


def _like(token: str) -> str:
    """The word of the sentence encoder that comes nearest."""
    if placeholder := re.match(r"<([A-Z]+)(?:_\d+)?>$", token):
        return _LIKE_FAMILY.get(placeholder[1], "[UNK]")
    return _LIKE.get(token, token)


def rows(vectors: np.ndarray, like: Sequence[int], seed: int) -> np.ndarray:
    """Of `vectors`, those of each token; tokens that are like the same word are told apart by a little noise."""
    rng = np.random.default_rng(seed)
    made = vectors[list(like)].copy()
    seen: set[int] = set()
    for token, place in enumerate(like):
        if place in seen:
            made[token] += rng.normal(0, 0.3 * vectors.std(), vectors.shape[1])
        seen.add(place)
    return made.astype(np.float32)
