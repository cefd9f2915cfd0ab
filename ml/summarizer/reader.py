"""How a model from scratch reads: each line as all-MiniLM-L6-v2 reads a sentence, and then the lines together as a T5 does.

Some thirty thousand wordings are too few to learn English from. MiniLM, which the shop has for its search, has learned from a
billion sentences what words mean together, so its layers read each line by itself, as they are used to; the encoder of the
T5, which is trained from nothing, reads over the lines what they made of every word and of the whole line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from embedder.build import weights_folder
from torch import nn
from transformers import BertConfig, BertModel
from transformers.modeling_outputs import BaseModelOutput

if TYPE_CHECKING:
    from transformers.models.t5.modeling_t5 import T5Stack


# Share of words that are not understood, in training.
MUFFLED = 0.05


class LineReader(nn.Module):
    """Token ids → what MiniLM makes of each token in its line, [texts, tokens, 1152], and of the line, [texts, tokens, 384].

    Of tokens its last layer knows best what they are for, its first ones what they are.
    `line`: the id of the token that begins a line; what comes before the first one is a line too.
    """

    def __init__(self, bert: BertModel, line: int) -> None:
        super().__init__()
        self.bert = bert
        self.line = line
        self.line_width: int = bert.config.hidden_size
        self.word_width = 3 * self.line_width

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        number = (ids == self.line).long().cumsum(1)
        # Who is in a line with whom: [texts, tokens, tokens].
        together = (number[:, :, None] == number[:, None, :]) & (mask[:, None, :] > 0)
        # Places count from the beginning of the line.
        places = together.long().tril(-1).sum(2).clamp(max=self.bert.config.max_position_embeddings - 1)
        layers = self.bert(
            input_ids=ids,
            attention_mask=together.to(torch.float32),
            position_ids=places,
            output_hidden_states=True,
        ).hidden_states
        share = together.to(torch.float32)
        share = share / share.sum(2, keepdim=True).clamp(min=1)
        return torch.cat([layers[0], layers[len(layers) // 2], layers[-1]], 2), share @ layers[-1]


class Encoder(nn.Module):
    """In the place of a T5's encoder. Of tokens that can be written, the first `written`, it also tells which they are."""

    def __init__(self, reader: LineReader, stack: T5Stack, written: int, unknown: int) -> None:
        super().__init__()
        self.reader = reader
        self.stack = stack
        self.written = written
        self.unknown = unknown
        width = stack.config.d_model
        self.of_words = nn.Linear(reader.word_width, width)
        self.of_line = nn.Linear(reader.line_width, width)
        self.own = nn.Embedding(written + 1, width)
        self.main_input_name = "input_ids"

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None, **_: Any
    ) -> BaseModelOutput:
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        if self.training:
            input_ids = self._muffled(input_ids)
        words, line = self.reader(input_ids, mask)
        own = self.own(input_ids.clamp(max=self.written))
        read = self.of_words(words) + self.of_line(line) + own
        return self.stack(inputs_embeds=read, attention_mask=mask)

    def train(self, mode: bool = True) -> Encoder:
        """Layers that do not learn read as they do in serving: drawing what they drop would take longer than all else."""
        super().train(mode)
        if not any(parameter.requires_grad for parameter in self.reader.parameters()):
            self.reader.eval()
        return self

    def _muffled(self, ids: torch.Tensor) -> torch.Tensor:
        """Some words are not understood, so that no single one decides: what nobody trained for will be read less surely."""
        lost = (torch.rand(ids.shape, device=ids.device) < MUFFLED) & (ids >= self.written)
        return ids.masked_fill(lost, self.unknown)


def empty(config: dict[str, Any]) -> BertModel:
    """A reader's BERT without its weights."""
    return BertModel(BertConfig(**config), add_pooling_layer=False)


def sentence_encoder(like: list[int], seed: int) -> BertModel:
    """MiniLM with the vectors of our own vocabulary. `like`: its word for each of our tokens."""
    from summarizer.tokenizer import rows

    bert = BertModel.from_pretrained(weights_folder(None), add_pooling_layer=False)
    vectors = bert.embeddings.word_embeddings.weight.detach().numpy()
    embedding = nn.Embedding.from_pretrained(
        torch.from_numpy(np.ascontiguousarray(rows(vectors, like, seed))), freeze=False, padding_idx=0
    )
    bert.set_input_embeddings(embedding)
    bert.config.vocab_size = len(like)
    return bert
