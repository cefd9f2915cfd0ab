"""LightGBM → ONNX that scores as LightGBM does, proven on real rows."""

import re

import lightgbm as lgb
import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

# Largest accepted difference of a score.
TOLERANCE = 1e-4


class ParityError(Exception):
    """The exported model does not score as the trained one."""


def to_onnx(booster: lgb.Booster, base: np.ndarray, rows: np.ndarray) -> bytes:
    """Serialised model: input `features` float32 [rows, features], output `variable` float32 [rows, 1], the score of the
    trees plus the features times `base`.

    `rows` are real feature rows, float32, on which it must agree with what was trained.
    @raises ParityError when they differ by more than TOLERANCE.
    """
    safe = float32_thresholds(booster)
    shape = [None, safe.num_feature()]
    model = convert_lightgbm(safe, initial_types=[("features", FloatTensorType(shape))], target_opset=15)
    _add(model.graph, base)
    content = model.SerializeToString()
    difference = np.abs(score(content, rows) - (booster.predict(rows) + rows @ base)).max(initial=0)
    if not difference <= TOLERANCE:
        raise ParityError(f"ONNX and LightGBM scores differ by {difference:.2e}")
    return content


def _add(graph: onnx.GraphProto, base: np.ndarray) -> None:
    """Puts the features times `base` on top of the graph's output."""
    name = graph.output[0].name
    for node in graph.node:
        node.output[:] = ["trees" if output == name else output for output in node.output]
    graph.initializer.append(numpy_helper.from_array(base.astype(np.float32)[:, None], "base"))
    graph.node.append(helper.make_node("MatMul", ["features", "base"], ["based"]))
    graph.node.append(helper.make_node("Add", ["trees", "based"], [name]))


def float32_thresholds(booster: lgb.Booster) -> lgb.Booster:
    """The same trees with every threshold replaced by the largest float32 not above it.

    ONNX keeps thresholds as float32. Rounded to the nearest, some land above a value that was right of them,
    and rows change sides. Rounded down, `x <= threshold` stays the same for every float32 x.
    """
    text = re.sub(
        r"^threshold=(.+)$",
        lambda line: "threshold=" + " ".join(_not_above(float(value)) for value in line[1].split()),
        booster.model_to_string(),
        flags=re.MULTILINE,
    )
    # The header's byte sizes of the trees no longer hold; LightGBM does without them.
    return lgb.Booster(model_str=re.sub(r"^tree_sizes=.*\n", "", text, flags=re.MULTILINE))


def session(content: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def score(content: bytes, rows: np.ndarray) -> np.ndarray:
    """Scores of float32 rows, one each."""
    return session(content).run(None, {"features": rows.astype(np.float32)})[0].ravel()


def _not_above(value: float) -> str:
    rounded = np.float32(value)
    if float(rounded) > value:
        rounded = np.nextafter(rounded, np.float32(-np.inf))
    return repr(float(rounded))
