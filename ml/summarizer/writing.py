"""How a model learns to write summaries, from sources and targets."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.protocol import log, progress

from summarizer.settings import Settings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, T5ForConditionalGeneration


def learn_to_write(
    model: T5ForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    examples: Sequence[tuple[str, str]],
    settings: Settings,
    seed: int,
    checkpoints: Path,
) -> None:
    """Trains `model` in place. What a model from scratch reads by stays as it has learned to read."""
    import torch
    from transformers import (
        DataCollatorForSeq2Seq,
        Seq2SeqTrainer,
        Seq2SeqTrainingArguments,
        TrainerCallback,
    )

    rows: list[dict[str, Any]] = []
    for source, target in examples:
        ids = tokenizer(source, truncation=True, max_length=settings.most_tokens)["input_ids"]
        rows.append({"input_ids": ids, "labels": tokenizer(target)["input_ids"], "length": len(ids)})
    log(f"{len(rows)} examples, {sum(row['length'] for row in rows) / len(rows):.0f} tokens each")
    if settings.start == "scratch":
        model.encoder.reader.requires_grad_(False)

    class Told(TrainerCallback):
        def on_log(self, args, state, control, logs=None, **_):
            if logs and "loss" in logs:
                done = state.global_step / state.max_steps
                log(f"step {state.global_step} of {state.max_steps}: loss {logs['loss']:.3f}")
                progress(0.35 + 0.55 * done, f"learn to write, loss {logs['loss']:.3f}")

    arguments = Seq2SeqTrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_ratio=0.03,
        weight_decay=0.01,
        max_grad_norm=1.0,
        group_by_length=True,
        length_column_name="length",
        logging_steps=50,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        seed=seed,
        use_cpu=not torch.cuda.is_available(),
    )
    Seq2SeqTrainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        data_collator=DataCollatorForSeq2Seq(tokenizer, model=model, pad_to_multiple_of=8),
        callbacks=[Told()],
    ).train()
    shutil.rmtree(checkpoints, ignore_errors=True)
