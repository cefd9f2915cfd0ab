"""How a model from scratch learns to read: its encoder is taught to mean by a turn what a sentence encoder does.

Some ten thousand wordings are too few to learn from them alone what words mean together. all-MiniLM-L6-v2, which the shop has
for its search, has learned it from a billion sentences; so before the model learns to write, its encoder learns to give each
turn of a conversation, where it stands, the vector that MiniLM gives it alone (distillation: Hinton et al. 2015). Words of
the whole vocabulary are put in at random, so that every word is met in many places.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from common.protocol import log, progress
from embedder.build import build, read_safetensors, weights_folder

from summarizer import wordings
from summarizer.conversations import Turn, Writer
from summarizer.entities import Masker
from summarizer.examples import PROMPT, lines, roles

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, T5ForConditionalGeneration

WIDTH = 384
BATCH = 16
TEACHER_BATCH = 64
MOST_TOKENS = 400
LEARNING_RATE = 8e-4
# Shares of turns that are given strange words, and of their words that are strange.
STRANGE, STRANGE_WORDS = 0.4, 0.25


@dataclass(frozen=True)
class Passage:
    """A conversation to read: the tokens of its lines, and where its turns are among all turns."""

    lines: list[list[int]]
    first: int

    @property
    def tokens(self) -> int:
        return sum(map(len, self.lines))


def conversations(seed: int, words: Sequence[str]) -> Iterator[list[Turn]]:
    """Turns of conversations without end, some with words that nobody would expect there."""
    writer, rng = Writer(wordings.training(), seed), random.Random(seed)

    def strange(turn: Turn) -> Turn:
        if rng.random() >= STRANGE:
            return turn
        text = re.sub(
            r"(?<![\w<])[a-z]{3,}(?![\w>])",
            lambda match: rng.choice(words) if rng.random() < STRANGE_WORDS else match[0],
            turn.text,
        )
        return replace(turn, text=text)

    while True:
        yield [strange(turn) for turn in writer.conversation().turns]


class Teacher:
    """all-MiniLM-L6-v2, as the shop's search uses it."""

    def __init__(self, threads: int) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        folder = weights_folder(None)
        config = json.loads((folder / "config.json").read_text())
        graph = build(read_safetensors(folder / "model.safetensors"), config).SerializeToString()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(graph, options)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(96)

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """[texts, WIDTH], of length 1, in half precision."""
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        found = np.zeros((len(texts), WIDTH), dtype=np.float16)
        order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
        for begin in range(0, len(order), TEACHER_BATCH):
            rows = order[begin : begin + TEACHER_BATCH]
            longest = max(len(ids[row]) for row in rows)
            tokens = np.zeros((len(rows), longest), dtype=np.int64)
            mask = np.zeros_like(tokens)
            for at, row in enumerate(rows):
                tokens[at, : len(ids[row])] = ids[row]
                mask[at, : len(ids[row])] = 1
            found[rows] = self.session.run(None, {"input_ids": tokens, "attention_mask": mask})[0]
            if begin % (TEACHER_BATCH * 100) == 0:
                progress(0.01 + 0.1 * begin / len(order), "ask the sentence encoder")
        return found


def learn_to_read(
    model: T5ForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    masker: Masker,
    words: Sequence[str],
    count: int,
    seed: int,
) -> None:
    """Trains the encoder of `model` on `count` conversations."""
    import torch

    def tokens(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    prompt = tokens(PROMPT)
    passages: list[Passage] = []
    texts: list[str] = []
    for turns in conversations(seed, words):
        masked = masker.mask(lines(turns, roles([turn.speaker for turn in turns]))).texts
        passage = Passage([tokens(line) for line in masked], len(texts))
        if passage.tokens <= MOST_TOKENS - len(prompt):
            passages.append(passage)
            texts += [turn.text for turn in turns]
        if len(passages) >= count:
            break
    wanted = torch.from_numpy(Teacher(torch.get_num_threads()).vectors(texts))
    log(f"{len(texts)} turns to read")

    head = torch.nn.Linear(model.config.d_model, WIDTH)
    parameters = [p for p in (*model.encoder.parameters(), *head.parameters()) if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=0.01)
    order = _batches([passage.tokens for passage in passages], random.Random(seed))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=len(order), pct_start=0.05
    )
    model.train()
    mean = 0.0
    for step, rows in enumerate(order):
        read = [[*prompt, *chain.from_iterable(passages[row].lines), tokenizer.eos_token_id] for row in rows]
        ids = torch.full((len(rows), max(map(len, read))), tokenizer.pad_token_id)
        for at, tokens_of in enumerate(read):
            ids[at, : len(tokens_of)] = torch.tensor(tokens_of)
        mask = (ids != tokenizer.pad_token_id).long()
        hidden = model.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        turns_read, turns_wanted = [], []
        for at, row in enumerate(rows):
            begin = len(prompt)
            for number, line in enumerate(passages[row].lines):
                turns_read.append(hidden[at, begin : begin + len(line)].mean(0))
                turns_wanted.append(passages[row].first + number)
                begin += len(line)
        near = torch.nn.functional.cosine_similarity(
            head(torch.stack(turns_read)), wanted[turns_wanted].to(hidden.dtype)
        )
        loss = 1 - near.mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        mean += (near.mean().item() - mean) / min(step + 1, 50)
        if step % 50 == 0:
            log(f"step {step} of {len(order)}: cosine {mean:.3f}")
            progress(0.11 + 0.2 * step / len(order), f"learn to read, cosine {mean:.3f}")


def _batches(lengths: Sequence[int], rng: random.Random) -> list[list[int]]:
    """Rows of like length together, in random order."""
    rows = list(range(len(lengths)))
    rng.shuffle(rows)
    batches = []
    for begin in range(0, len(rows), BATCH * 40):
        block = sorted(rows[begin : begin + BATCH * 40], key=lambda row: lengths[row])
        batches += [block[at : at + BATCH] for at in range(0, len(block), BATCH)]
    rng.shuffle(batches)
    return batches
