"""How the reader of a model from scratch learns this shop's matters: it tells what a message is for, and who or what is named.

Every message of the wordings is of a section (a parcel that is late, a refund that was promised, small talk…), and each of its
entities stands in a slot (the customer's name, the product, something that is none of the case…). Lines that are read apart
need no whole conversations to learn from, so that each wording is met often.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.protocol import log, progress

from summarizer import wordings
from summarizer.conversations import Writer
from summarizer.entities import Masker
from summarizer.examples import lines
from summarizer.tokenizer import LINE, specials

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast

    from summarizer.reader import LineReader

BATCH = 64
MOST_TOKENS = 96
LEARNING_RATE = 1e-4
HEAD_LEARNING_RATE = 2e-3
SMOOTHING = 0.05
DROPOUT = 0.1


@dataclass(frozen=True)
class Row:
    section: str
    tokens: list[int]
    roles: list[tuple[int, str]]
    """Of the placeholders among the tokens: place and role, `none` for what only looks like an entity."""


def messages(writer: Writer, masker: Masker, tokenizer: PreTrainedTokenizerFast) -> list[Row]:
    """Every message, as it stands in a conversation."""
    placeholders = {tokenizer.convert_tokens_to_ids(token): token for token in specials()}
    made = []
    for message in writer.messages():
        turn = message.turn
        masked = masker.mask(lines([turn], {turn.speaker: "Customer" if turn.customer else "Agent"}))
        roles = {masked.placeholder(value): role for value, role in message.roles.items()}
        tokens = tokenizer(LINE + masked.texts[0], add_special_tokens=False)["input_ids"][:MOST_TOKENS]
        made.append(
            Row(
                message.section,
                tokens,
                [
                    (at, roles.get(placeholders[token], "none"))
                    for at, token in enumerate(tokens)
                    if token in placeholders
                ],
            )
        )
    return made


def learn_to_read(
    reader: LineReader, tokenizer: PreTrainedTokenizerFast, masker: Masker, epochs: int, seed: int
) -> None:
    """Trains `reader` on all messages `epochs` times."""
    import torch
    from torch import nn

    rows = messages(Writer(wordings.training(), seed), masker, tokenizer)
    sections = _numbered(row.section for row in rows)
    roles = _numbered(role for row in rows for _, role in row.roles)
    of_line = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(reader.line_width, len(sections)))
    of_entity = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(reader.word_width, len(roles)))
    heads = nn.ModuleList([of_line, of_entity])
    groups = [
        {"params": list(reader.parameters()), "lr": LEARNING_RATE},
        {"params": list(heads.parameters()), "lr": HEAD_LEARNING_RATE},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    order = [
        batch
        for epoch in range(epochs)
        for batch in batches([len(row.tokens) for row in rows], BATCH, random.Random(f"{seed} {epoch}"))
    ]
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [group["lr"] for group in groups], total_steps=len(order) + 1, pct_start=0.1
    )
    log(f"{len(rows)} messages of {len(sections)} sections")
    reader.train()
    mean = 0.0
    for step, batch in enumerate(order):
        ids = padded([rows[row].tokens for row in batch], tokenizer.pad_token_id)
        words, line = reader(ids, (ids != tokenizer.pad_token_id).long())
        told = torch.tensor([sections[rows[row].section] for row in batch])
        loss = nn.functional.cross_entropy(of_line(line[:, 0]), told, label_smoothing=SMOOTHING)
        entities = [
            (at, place, roles[role]) for at, row in enumerate(batch) for place, role in rows[row].roles
        ]
        if entities:
            at, places, wanted = torch.tensor(entities).T
            loss = loss + nn.functional.cross_entropy(
                of_entity(words[at, places]), wanted, label_smoothing=SMOOTHING
            )
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        mean += (loss.item() - mean) / min(step + 1, 100)
        if step % 100 == 0:
            log(f"step {step} of {len(order)}: loss {mean:.3f}")
            progress(0.01 + 0.3 * step / len(order), f"learn to read, loss {mean:.3f}")


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(sorted(set(names)))}


def padded(rows: Sequence[Sequence[int]], pad: int) -> torch.Tensor:
    import torch

    ids = torch.full((len(rows), max(map(len, rows))), pad)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = torch.tensor(row)
    return ids


def batches(lengths: Sequence[int], size: int, rng: random.Random) -> list[list[int]]:
    """Rows of like length together, in random order."""
    rows = list(range(len(lengths)))
    rng.shuffle(rows)
    made = []
    for begin in range(0, len(rows), size * 40):
        block = sorted(rows[begin : begin + size * 40], key=lambda row: lengths[row])
        made += [block[at : at + size] for at in range(0, len(block), size)]
    rng.shuffle(made)
    return made
