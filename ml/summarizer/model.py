"""The model: from scratch, or a T5 to fine-tune. Needs the training group (`npm run setup:summarizer`)."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_model
from transformers import AutoTokenizer, PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from summarizer import reader
from summarizer.settings import Settings
from summarizer.tokenizer import LINE, build, specials

HEAD = 64


def start(settings: Settings, seed: int) -> tuple[T5ForConditionalGeneration, PreTrainedTokenizerFast]:
    """@raises OSError where `settings.start` names nothing that can be loaded"""
    torch.manual_seed(seed)
    if settings.start != "scratch":
        tokenizer = AutoTokenizer.from_pretrained(settings.start)
        added = tokenizer.add_tokens(specials(), special_tokens=True)
        model = T5ForConditionalGeneration.from_pretrained(settings.start)
        if added:
            model.resize_token_embeddings(len(tokenizer))
        return model, tokenizer

    with tempfile.TemporaryDirectory() as folder:
        like, written = build(settings.vocabulary, Path(folder))
        tokenizer = AutoTokenizer.from_pretrained(folder)
    bert = reader.sentence_encoder(like, seed)
    config = T5Config(
        vocab_size=written,
        d_model=settings.width,
        d_kv=HEAD,
        num_heads=settings.width // HEAD,
        d_ff=settings.feed_forward,
        num_layers=settings.encoder_layers,
        num_decoder_layers=settings.decoder_layers,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        # Words are muffled instead, see reader.py.
        dropout_rate=0.0,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
        # Of our own: what reads before the encoder does.
        reader=bert.config.to_dict(),
        line=tokenizer.convert_tokens_to_ids(LINE),
        unknown=tokenizer.unk_token_id,
    )
    model = T5ForConditionalGeneration(config)
    with torch.no_grad():
        # Transformers starts it so wide that the first steps only shrink it.
        model.lm_head.weight.normal_(std=settings.width**-0.5)
    _put_before(model, bert)
    return model, tokenizer


def load(folder: Path) -> tuple[T5ForConditionalGeneration, PreTrainedTokenizerFast]:
    """What `save_pretrained` wrote of a model and its tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    config = T5Config.from_pretrained(folder)
    if not hasattr(config, "reader"):
        return T5ForConditionalGeneration.from_pretrained(folder).eval(), tokenizer
    model = T5ForConditionalGeneration(config)
    _put_before(model, reader.empty(config.reader))
    load_model(model, str(folder / "model.safetensors"))
    return model.eval(), tokenizer


def _put_before(model: T5ForConditionalGeneration, bert: reader.BertModel) -> None:
    """The model's encoder reads what `bert` read, no longer ids of tokens."""
    stack = model.encoder
    stack.set_input_embeddings(None)
    config = model.config
    model.encoder = reader.Encoder(
        reader.LineReader(bert, config.line), stack, config.vocab_size, config.unknown
    )
