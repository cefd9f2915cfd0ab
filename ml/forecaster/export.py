"""The four models of a granularity as one ONNX graph that forecasts as they do, proven on real rows."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.compose import add_prefix_graph
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import HistGradientBoostingRegressor

from forecaster.forecaster import Trees
from forecaster.model import OUTPUTS, predict

OPSET = 18
# Largest accepted difference, relative to the larger of the share and one.
TOLERANCE = 1e-3


class ParityError(Exception):
    """The exported model does not forecast as the trained one."""


def to_onnx(models: list[HistGradientBoostingRegressor], rows: np.ndarray) -> bytes:
    """Serialised graph: input `features` float32 [rows, features], output `shares` float32 [rows, len(OUTPUTS)].

    `rows` are real feature rows, float32, on which both must agree. @raises ParityError
    """
    content = _merge(models, rows.shape[1]).SerializeToString()
    expected = predict(models, rows)
    difference = np.abs(trees(content)(rows) - expected) / np.maximum(np.abs(expected), 1.0)
    if not difference.max(initial=0) <= TOLERANCE:
        raise ParityError(f"ONNX and scikit-learn forecasts differ by {difference.max():.2e}")
    return content


def trees(content: bytes) -> Trees:
    """The graph as a function of feature rows."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda rows: session.run(None, {"features": rows})[0].astype(np.float64)


def _merge(models: list[HistGradientBoostingRegressor], width: int) -> onnx.ModelProto:
    nodes, constants, outputs = [], [], []
    opsets: dict[str, int] = {}
    for name, model in zip(OUTPUTS, models, strict=True):
        part = convert_sklearn(
            model, initial_types=[("features", FloatTensorType([None, width]))], target_opset=OPSET
        )
        for opset in part.opset_import:
            opsets[opset.domain] = max(opset.version, opsets.get(opset.domain, 0))
        graph = add_prefix_graph(part.graph, f"{name}_", rename_inputs=False)
        nodes += graph.node
        constants += graph.initializer
        output = graph.output[0].name
        if model.loss == "poisson":
            # The converter leaves out the inverse of the loss's log link.
            nodes.append(helper.make_node("Exp", [output], [f"{name}_linked"]))
            output = f"{name}_linked"
        outputs.append(output)
    nodes.append(helper.make_node("Concat", outputs, ["shares"], axis=1))
    graph = helper.make_graph(
        nodes,
        "forecaster",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info("shares", TensorProto.FLOAT, [None, len(OUTPUTS)])],
        constants,
    )
    imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    model = helper.make_model(graph, opset_imports=imports, ir_version=9)
    onnx.checker.check_model(model)
    return model
