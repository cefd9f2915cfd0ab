"""From a model in PyTorch to ONNX in int8: an encoder, and a decoder with and without its past in one graph."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import T5ForConditionalGeneration

ENCODER, DECODER = "encoder_model.onnx", "decoder_model_merged.onnx"
OPSET = 18
# Of the configuration, what transformers does not know.
OWN = ("reader", "line", "unknown")


def export(model: Path, out: Path) -> None:
    """`model`: a folder of transformers. Writes the graphs and tokenizer.json into `out`."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from optimum.exporters.onnx import main_export

    from summarizer.model import load
    from summarizer.reader import Encoder

    out.mkdir(parents=True, exist_ok=True)
    loaded, _ = load(model)
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder)
        plain = model
        if own := isinstance(loaded.encoder, Encoder):
            plain = full / "plain"
            _plain(loaded).save_pretrained(plain)
            shutil.copyfile(model / "tokenizer.json", plain / "tokenizer.json")
            shutil.copyfile(model / "tokenizer_config.json", plain / "tokenizer_config.json")
        main_export(
            str(plain), full, task="text2text-generation-with-past", no_post_process=False, device="cpu"
        )
        if own:
            _export_encoder(loaded.encoder, full / ENCODER)
        for graph in (ENCODER, DECODER):
            quantize_dynamic(
                full / graph,
                out / graph,
                weight_type=QuantType.QInt8,
                per_channel=True,
                op_types_to_quantize=["MatMul", "Gather"],
                # The merged decoder keeps its layers in the branches of an If.
                extra_options={"EnableSubgraph": True, "MatMulConstBOnly": True},
            )
    # As transformers writes it, but without its indentation.
    tokenizer = json.loads((model / "tokenizer.json").read_text(encoding="utf-8"))
    (out / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")


def _plain(model: T5ForConditionalGeneration) -> T5ForConditionalGeneration:
    """A T5 as transformers knows it, with the decoder of `model`; its encoder is of no use."""
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(**{k: v for k, v in model.config.to_dict().items() if k not in OWN})
    plain = T5ForConditionalGeneration(config)
    plain.load_state_dict(model.state_dict(), strict=False)
    return plain


def _export_encoder(encoder, file: Path) -> None:
    import torch

    class Graph(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = encoder

        def forward(self, input_ids, attention_mask):
            return self.encoder(input_ids, attention_mask).last_hidden_state

    line = encoder.reader.line
    ids = torch.tensor([[7, line, 8, 9, line, 7], [7, 8, line, 9, 0, 0]])
    axes = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        Graph().eval(),
        (ids, (ids > 0).long()),
        str(file),
        input_names=["input_ids", "attention_mask"],
        output_names=["last_hidden_state"],
        dynamic_axes={"input_ids": axes, "attention_mask": axes, "last_hidden_state": axes},
        opset_version=OPSET,
        dynamo=False,
    )
