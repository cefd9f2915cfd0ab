"""From a T5 in PyTorch to ONNX in int8: an encoder, and a decoder with and without its past in one graph."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

GRAPHS = ("encoder_model.onnx", "decoder_model_merged.onnx")


def export(model: Path, out: Path) -> None:
    """`model`: a folder of transformers. Writes the graphs and tokenizer.json into `out`."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from optimum.exporters.onnx import main_export

    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder)
        main_export(
            str(model), full, task="text2text-generation-with-past", no_post_process=False, device="cpu"
        )
        for graph in GRAPHS:
            quantize_dynamic(
                full / graph,
                out / graph,
                weight_type=QuantType.QInt8,
                per_channel=True,
                op_types_to_quantize=["MatMul", "Gather"],
                # The merged decoder keeps its layers in the branches of an If.
                extra_options={"EnableSubgraph": True, "MatMulConstBOnly": True},
            )
    shutil.copyfile(model / "tokenizer.json", out / "tokenizer.json")
