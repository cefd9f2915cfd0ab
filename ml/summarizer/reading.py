"""How the reader of a model from scratch learns this shop's matters: it tells from each message what it is for.

Every message of the wordings is of a section (a parcel that is late, a refund that was promised, small talk…). Lines that are
read apart need no whole conversations to learn from, so that each wording is met often.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from common.protocol import log, progress

from summarizer import wordings
from summarizer.conversations import Writer
from summarizer.entities import Masker
from summarizer.examples import lines
from summarizer.tokenizer import LINE

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast

    from summarizer.reader import LineReader

BATCH = 64
LEARNING_RATE = 1e-4
HEAD_LEARNING_RATE = 2e-3
SMOOTHING = 0.05
DROPOUT = 0.1


def messages(
    writer: Writer, masker: Masker, tokenizer: PreTrainedTokenizerFast
) -> list[tuple[str, list[int]]]:
    """Section and tokens of every message, as it stands in a conversation."""
    made = []
    for section, turn in writer.messages():
        names = {turn.speaker: "Customer" if turn.customer else "Agent"}
        text = masker.mask(lines([turn], names)).texts[0]
        made.append((section, tokenizer(LINE + text, add_special_tokens=False)["input_ids"][:96]))
    return made


def learn_to_read(
    reader: LineReader, tokenizer: PreTrainedTokenizerFast, masker: Masker, epochs: int, seed: int
) -> None:
    """Trains `reader` on all messages `epochs` times."""
    import torch
    from torch import nn

    rows = messages(Writer(wordings.training(), seed), masker, tokenizer)
    sections = sorted({section for section, _ in rows})
    place = {section: index for index, section in enumerate(sections)}
    head = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(reader.bert.config.hidden_size, len(sections)))
    groups = [
        {"params": list(reader.parameters()), "lr": LEARNING_RATE},
        {"params": list(head.parameters()), "lr": HEAD_LEARNING_RATE},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    steps = epochs * -(-len(rows) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [group["lr"] for group in groups], total_steps=steps + 1, pct_start=0.1
    )
    rng = random.Random(seed)
    mean, step = 0.0, 0
    for _ in range(epochs):
        reader.train()
        for batch in batches([len(tokens) for _, tokens in rows], BATCH, rng):
            ids = padded([rows[row][1] for row in batch], tokenizer.pad_token_id)
            wanted = torch.tensor([place[rows[row][0]] for row in batch])
            _, line = reader(ids, (ids != tokenizer.pad_token_id).long())
            loss = nn.functional.cross_entropy(head(line[:, 0]), wanted, label_smoothing=SMOOTHING)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            mean += (loss.item() - mean) / min(step, 100)
            if step % 100 == 0:
                log(f"step {step} of {steps}: loss {mean:.3f}")
                progress(0.01 + 0.3 * step / steps, f"learn to read, loss {mean:.3f}")


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
