"""LightGBM → ONNX that scores as LightGBM does, proven on real rows."""

import re

import lightgbm as lgb
import numpy as np
import onnxruntime
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

# Largest accepted difference of a score.
TOLERANCE = 1e-4


class ParityError(Exception):
    """The exported model does not score as the trained one."""


def to_onnx(booster: lgb.Booster, rows: np.ndarray) -> bytes:
    """Serialised model: input `features` float32 [rows, features], output `variable` float32 [rows, 1].

    `rows` are real feature rows, float32, on which both must agree.
    @raises ParityError when they differ by more than TOLERANCE.
    """
    safe = float32_thresholds(booster)
    shape = [None, safe.num_feature()]
    model = convert_lightgbm(safe, initial_types=[("features", FloatTensorType(shape))], target_opset=15)
    content = model.SerializeToString()
    difference = np.abs(score(content, rows) - booster.predict(rows)).max(initial=0)
    if not difference <= TOLERANCE:
        raise ParityError(f"ONNX and LightGBM scores differ by {difference:.2e}")
    return content


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
