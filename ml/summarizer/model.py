"""The model: from scratch, or a T5 to fine-tune. Needs the training group (`npm run setup:summarizer`)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from summarizer.settings import Settings
from summarizer.tokenizer import build, specials

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, T5ForConditionalGeneration

HEAD = 64


def start(settings: Settings, seed: int) -> tuple[T5ForConditionalGeneration, PreTrainedTokenizerFast]:
    """@raises OSError where `settings.start` names nothing that can be loaded"""
    import torch
    from transformers import AutoTokenizer, T5Config, T5ForConditionalGeneration

    torch.manual_seed(seed)
    if settings.start != "scratch":
        tokenizer = AutoTokenizer.from_pretrained(settings.start)
        added = tokenizer.add_tokens(specials(), special_tokens=True)
        model = T5ForConditionalGeneration.from_pretrained(settings.start)
        if added:
            model.resize_token_embeddings(len(tokenizer))
        return model, tokenizer

    with tempfile.TemporaryDirectory() as folder:
        vectors = build(settings.vocabulary, settings.width, seed, Path(folder))
        tokenizer = AutoTokenizer.from_pretrained(folder)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=settings.width,
        d_kv=HEAD,
        num_heads=settings.width // HEAD,
        d_ff=settings.feed_forward,
        num_layers=settings.encoder_layers,
        num_decoder_layers=settings.decoder_layers,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        dropout_rate=0.05,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
    )
    model = T5ForConditionalGeneration(config)
    with torch.no_grad():
        model.shared.weight.copy_(torch.from_numpy(vectors))
        # What training does not see keeps its place among what it does.
        model.shared.requires_grad_(False)
        # Transformers starts it so wide that the first steps only shrink it.
        model.lm_head.weight.normal_(std=settings.width**-0.5)
    return model, tokenizer
