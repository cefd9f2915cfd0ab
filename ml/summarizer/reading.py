"""How a model from scratch learns to read: its encoder is taught to mean by a sentence what a sentence encoder does.

Some thousand wordings are too few to learn from them alone what words mean together. all-MiniLM-L6-v2, which the shop has
for its search, has learned it from a billion sentences; so before the model learns to write, its encoder learns to give
sentences the vectors that MiniLM gives them (distillation: Hinton et al. 2015). Sentences cost nothing: those of the
wordings, cut, joined, and with words of the whole vocabulary put in at random, so that every word is met in many places.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from common.protocol import log, progress
from embedder.build import build, read_safetensors, weights_folder

from summarizer import wordings
from summarizer.conversations import Writer
from summarizer.entities import Masker

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, T5ForConditionalGeneration

WIDTH = 384
BATCH = 96
TEACHER_BATCH = 64
MOST_TOKENS = 64
LEARNING_RATE = 1.5e-3
# Shares of sentences that are cut, joined to another, and given strange words; and of their words that are strange.
CUT, JOINED, STRANGE, STRANGE_WORDS = 0.25, 0.2, 0.5, 0.25


def sentences(count: int, seed: int, words: Sequence[str]) -> Iterator[str]:
    """Messages of conversations, and what becomes of them."""
    writer = Writer(wordings.training(), seed)
    rng = random.Random(seed)
    before = ""
    while count > 0:
        for turn in writer.conversation().turns:
            text = turn.text
            said = text.split()
            if rng.random() < CUT and len(said) > 5:
                begin = rng.randrange(len(said) - 3)
                text = " ".join(said[begin : begin + rng.randint(3, len(said) - begin)])
            elif rng.random() < JOINED:
                text = f"{before} {text}"
            if rng.random() < STRANGE:
                text = re.sub(
                    r"(?<![\w<])[a-z]{3,}(?![\w>])",
                    lambda match: rng.choice(words) if rng.random() < STRANGE_WORDS else match[0],
                    text,
                )
            before = turn.text
            if text.strip():
                yield text
                count -= 1
                if count == 0:
                    return


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
    """Trains the encoder of `model` on `count` sentences."""
    import torch

    texts = list(sentences(count, seed, words))
    wanted = torch.from_numpy(Teacher(torch.get_num_threads()).vectors(texts))
    read = [
        tokenizer(masker.mask([text]).texts[0], truncation=True, max_length=MOST_TOKENS)["input_ids"]
        for text in texts
    ]
    head = torch.nn.Linear(model.config.d_model, WIDTH)
    parameters = [p for p in (*model.encoder.parameters(), *head.parameters()) if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=0.01)
    order = _batches([len(ids) for ids in read], random.Random(seed))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=len(order), pct_start=0.04
    )
    model.train()
    mean = 0.0
    for step, rows in enumerate(order):
        longest = max(len(read[row]) for row in rows)
        ids = torch.full((len(rows), longest), tokenizer.pad_token_id)
        for at, row in enumerate(rows):
            ids[at, : len(read[row])] = torch.tensor(read[row])
        mask = (ids != tokenizer.pad_token_id).long()
        hidden = model.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        pooled = (hidden * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
        near = torch.nn.functional.cosine_similarity(head(pooled), wanted[rows].float())
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
