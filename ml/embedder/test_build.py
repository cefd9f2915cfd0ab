import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from embedder.build import PACKAGE, build, read_safetensors, weights_folder

CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": 12,
    "num_attention_heads": 3,
    "num_hidden_layers": 2,
    "intermediate_size": 20,
    "layer_norm_eps": 1e-12,
}
VOCABULARY, PLACES = 50, 16


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    width, inner = CONFIG["hidden_size"], CONFIG["intermediate_size"]
    arrays = {}

    def linear(name: str, inputs: int, outputs: int) -> None:
        arrays[f"{name}.weight"] = rng.normal(0, 0.4, (outputs, inputs))
        arrays[f"{name}.bias"] = rng.normal(0, 0.4, outputs)

    def norm(name: str) -> None:
        arrays[f"{name}.weight"] = rng.normal(1, 0.2, width)
        arrays[f"{name}.bias"] = rng.normal(0, 0.2, width)

    for name, rows in (("word", VOCABULARY), ("position", PLACES), ("token_type", 2)):
        arrays[f"embeddings.{name}_embeddings.weight"] = rng.normal(0, 1, (rows, width))
    norm("embeddings.LayerNorm")
    for number in range(CONFIG["num_hidden_layers"]):
        layer = f"encoder.layer.{number}"
        for part in ("query", "key", "value"):
            linear(f"{layer}.attention.self.{part}", width, width)
        linear(f"{layer}.attention.output.dense", width, width)
        norm(f"{layer}.attention.output.LayerNorm")
        linear(f"{layer}.intermediate.dense", width, inner)
        linear(f"{layer}.output.dense", inner, width)
        norm(f"{layer}.output.LayerNorm")
    return {name: array.astype(np.float32) for name, array in arrays.items()}


@pytest.fixture(scope="module")
def session(weights: dict[str, np.ndarray]) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(build(weights, CONFIG).SerializeToString())


def reference(weights: dict[str, np.ndarray], ids: list[int]) -> np.ndarray:
    """One text, without padding, in doubles and token by token: as the papers write it, not as the graph does."""
    from math import erf, sqrt

    w = {name: array.astype(np.float64) for name, array in weights.items()}
    heads, size = CONFIG["num_attention_heads"], CONFIG["hidden_size"] // CONFIG["num_attention_heads"]

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return w[f"{name}.weight"] @ x + w[f"{name}.bias"]

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        return (x - x.mean()) / np.sqrt(x.var() + CONFIG["layer_norm_eps"]) * w[f"{name}.weight"] + w[
            f"{name}.bias"
        ]

    def gelu(x: float) -> float:
        return x * (1 + erf(x / sqrt(2))) / 2

    word, position, segment = (
        w[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
    )
    x = [
        norm(word[token] + position[place] + segment[0], "embeddings.LayerNorm")
        for place, token in enumerate(ids)
    ]
    for number in range(CONFIG["num_hidden_layers"]):
        layer = f"encoder.layer.{number}"
        query, key, value = (
            [linear(token, f"{layer}.attention.self.{part}") for token in x]
            for part in ("query", "key", "value")
        )
        after = []
        for at, token in enumerate(x):
            mixed = []
            for head in range(heads):
                part = slice(head * size, (head + 1) * size)
                scores = np.array([query[at][part] @ other[part] / sqrt(size) for other in key])
                shares = np.exp(scores) / np.exp(scores).sum()
                mixed.append(sum(share * other[part] for share, other in zip(shares, value, strict=True)))
            attended = linear(np.concatenate(mixed), f"{layer}.attention.output.dense")
            token = norm(token + attended, f"{layer}.attention.output.LayerNorm")
            wide = np.array([gelu(one) for one in linear(token, f"{layer}.intermediate.dense")])
            after.append(norm(token + linear(wide, f"{layer}.output.dense"), f"{layer}.output.LayerNorm"))
        x = after
    pooled = np.mean(x, axis=0)
    return pooled / np.linalg.norm(pooled)


def run(session: onnxruntime.InferenceSession, texts: list[list[int]]) -> np.ndarray:
    """The vectors of one batch, padded to the longest text with a token that must not matter."""
    length = max(map(len, texts))
    ids = np.array([text + [7] * (length - len(text)) for text in texts], np.int64)
    mask = np.array([[1] * len(text) + [0] * (length - len(text)) for text in texts], np.int64)
    return session.run(["embedding"], {"input_ids": ids, "attention_mask": mask})[0]


TEXTS = [[1, 4, 2], [1, 9, 9, 30, 8, 41, 3, 22, 17, 2], [1, 5, 33, 49, 0, 2]]


def test_texts_of_different_lengths_in_one_batch_agree_with_the_reference(weights, session):
    vectors = run(session, TEXTS)
    assert vectors.shape == (3, CONFIG["hidden_size"])
    for text, vector in zip(TEXTS, vectors, strict=True):
        np.testing.assert_allclose(vector, reference(weights, text), atol=1e-5)


def test_a_text_has_the_same_vector_alone_as_in_a_batch(session):
    batch = run(session, TEXTS)
    for text, vector in zip(TEXTS, batch, strict=True):
        np.testing.assert_allclose(run(session, [text])[0], vector, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(batch, axis=1), 1, atol=1e-6)


def test_safetensors_are_read_with_and_without_the_prefix_of_bert(tmp_path: Path):
    arrays = {
        "bert.a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.array([1, 2], np.float16),
        "c": np.array([3], np.int64),
    }
    header, blob = {"__metadata__": {"format": "pt"}}, b""
    for name, array in arrays.items():
        dtype = {"float32": "F32", "float16": "F16", "int64": "I64"}[str(array.dtype)]
        header[name] = {
            "dtype": dtype,
            "shape": array.shape,
            "data_offsets": [len(blob), len(blob) + array.nbytes],
        }
        blob += array.tobytes()
    text = json.dumps(header).encode()
    (tmp_path / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + blob)
    read = read_safetensors(tmp_path / "model.safetensors")
    assert sorted(read) == ["a", "b", "c"]
    np.testing.assert_array_equal(read["a"], arrays["bert.a"])
    np.testing.assert_array_equal(read["b"], [1, 2])


@pytest.mark.parametrize("change", [{"hidden_act": "relu"}, {"model_type": "roberta"}])
def test_other_kinds_of_models_are_refused(weights, change):
    with pytest.raises(SystemExit, match="Only BERT"):
        build(weights, {**CONFIG, **change})


def test_weights_come_from_a_folder_or_else_the_hub_whose_client_may_be_missing(tmp_path: Path, monkeypatch):
    assert weights_folder(str(tmp_path)) == tmp_path
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(SystemExit, match="install the Python package huggingface_hub"):
        weights_folder("someone/some-model")


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=PACKAGE):
        weights_folder(None)


@pytest.mark.skipif(importlib.util.find_spec(PACKAGE) is None, reason="its weights are not installed")
def test_the_real_model_ranks_what_means_the_same_first(tmp_path: Path):
    out = tmp_path / "embedder"
    script = Path(__file__).with_name("build.py")
    subprocess.run([sys.executable, str(script), "--out", str(out)], check=True, timeout=120)
    assert sorted(file.name for file in out.iterdir()) == ["model.onnx", "tokenizer.json"]
    vocabulary = json.loads((out / "tokenizer.json").read_text())["model"]["vocab"]

    def tokens(text: str) -> list[int]:
        return [vocabulary[token] for token in ["[CLS]", *text.lower().split(), "[SEP]"]]

    session = onnxruntime.InferenceSession(out / "model.onnx")
    question, *answers = run(
        session,
        [
            tokens("how do i keep my sword from rust"),
            tokens("oil that protects the steel of a blade"),
            tokens("a warm coat for the winter"),
            tokens("the train leaves at noon"),
        ],
    )
    similarities = np.array(answers) @ question
    assert similarities.argmax() == 0
    assert similarities[0] > similarities[1] + 0.2
