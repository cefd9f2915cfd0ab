"""The tokenizer of a model from scratch: words of an English encoder's vocabulary, and vectors that know their meaning.

A model that starts from random vectors knows nothing of a word it was not trained on. The vectors of all-MiniLM-L6-v2's
words (what the embedder is built of) put words that mean alike near each other, so that a way of saying things
that training never saw is near one that it did. They are projected to the model's width and stay as they are.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
from embedder.build import read_safetensors, weights_folder

from summarizer.entities import OVERFLOW, SPEC
from summarizer.examples import FIELDS

PAD, UNKNOWN, END = "<pad>", "<unk>", "</s>"


def specials() -> list[str]:
    """Tokens that are no words: fields and placeholders."""
    most = json.loads(SPEC.read_text())["most"]
    return [
        *FIELDS,
        OVERFLOW,
        *(f"<{family}_{n + 1}>" for family, count in most.items() for n in range(count)),
    ]


def vocabulary(size: int) -> tuple[list[str], np.ndarray]:
    """Words and pieces, the most frequent first, and their vectors; no digits, which are never left to the model."""
    folder = weights_folder(None)
    words = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    arrays = read_safetensors(folder / "model.safetensors")
    vectors = arrays["embeddings.word_embeddings.weight"]
    usable = re.compile(r"^(##)?([a-z]+|[.,:;!?'\"()&/%*+-])$")
    # The encoder's vocabulary is in the order of frequency.
    kept = [
        (word, index) for word, index in sorted(words.items(), key=lambda item: item[1]) if usable.match(word)
    ]
    single = [(w, i) for w, i in kept if len(w.removeprefix("##")) == 1]
    pieces = [(w, i) for w, i in kept if w.startswith("##") and len(w) > 3][: size // 6]
    whole = [(w, i) for w, i in kept if not w.startswith("##") and len(w) > 1]
    chosen = single + pieces + whole[: size - len(single) - len(pieces)]
    return [word for word, _ in chosen], vectors[[index for _, index in chosen]]


def project(vectors: np.ndarray, width: int) -> np.ndarray:
    """Principal components of the vectors, with the unit variance that T5 starts from."""
    centred = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    projected = centred @ axes[:width].T
    return (projected / projected.std()).astype(np.float32)


def build(size: int, width: int, seed: int, out: Path) -> np.ndarray:
    """Writes tokenizer files for transformers into `out`. Returns the vectors of all tokens, [tokens, width]."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words, vectors = vocabulary(size)
    control = [PAD, END, UNKNOWN, *specials()]
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
        additional_special_tokens=specials(),
    )
    fast.save_pretrained(out)
    rng = np.random.default_rng(seed)
    return np.vstack([rng.standard_normal((len(control), width)).astype(np.float32), project(vectors, width)])


def common_words(size: int) -> list[str]:
    return [word for word in vocabulary(size)[0] if len(word) > 1 and word.isalpha()]
