"""Parameters of the summarizer (params.yaml)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Settings:
    start: str = "scratch"
    """`scratch`, or what to fine-tune: a name of the model hub such as google/flan-t5-small, or a folder."""
    readings: int = 3
    """Times that a model from scratch reads every message, before it learns to write (reading.py)."""
    conversations: int = 40_000
    """Generated for training; long ones give several examples."""
    epochs: float = 1.0
    batch: int = 16
    learning_rate: float = 7e-4
    """At most; 3e-4 or less for a model that is fine-tuned."""
    most_tokens: int = 512
    """Of what is read at once; longer conversations are read in parts."""
    vocabulary: int = 6_000
    """Frequent words that a model from scratch knows beside those of the wordings. And the shape of its T5:"""
    width: int = 256
    encoder_layers: int = 2
    decoder_layers: int = 2
    feed_forward: int = 512


def read_settings(values: dict[str, Any] | None) -> Settings:
    """@raises ValueError on unknown names"""
    given = dict(values or {})
    unknown = sorted(set(given) - {item.name for item in fields(Settings)})
    if unknown:
        raise ValueError(f"unknown parameters in summarizer: {', '.join(unknown)}")
    return Settings(**given)
