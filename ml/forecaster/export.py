"""The boosters of a granularity as one ONNX graph that forecasts as they do, proven on real rows."""

import lightgbm as lgb
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from forecaster.forecaster import Trees
from forecaster.model import OUTPUTS, predict

OPSET = 18
# Columns of the ensemble's nodes and leaves.
NODE = ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")
LEAF = ("treeids", "nodeids", "ids", "weights")
# Largest accepted difference, relative to the larger of the share and one.
TOLERANCE = 1e-3


class ParityError(Exception):
    """The exported model does not forecast as the trained one."""


def to_onnx(models: list[lgb.Booster], rows: np.ndarray) -> bytes:
    """Serialised graph: input `features` float32 [rows, features], output `shares` float32 [rows, len(OUTPUTS)].

    `rows` are real feature rows, float32, on which both must agree. @raises ParityError
    """
    content = _merge(models, rows.shape[1]).SerializeToString()
    expected = predict(models, rows)
    difference = np.abs(trees(content)(rows) - expected) / np.maximum(np.abs(expected), 1.0)
    if not difference.max(initial=0) <= TOLERANCE:
        raise ParityError(f"ONNX and LightGBM forecasts differ by {difference.max():.2e}")
    return content


def trees(content: bytes) -> Trees:
    """The graph as a function of feature rows."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda rows: session.run(None, {"features": rows})[0].astype(np.float64)


def _merge(models: list[lgb.Booster], width: int) -> onnx.ModelProto:
    """All trees in one ensemble with a target per model: one pass over the rows."""
    nodes: list[tuple] = []
    leaves: list[tuple] = []
    roots = [
        (target, tree) for target, model in enumerate(models) for tree in model.dump_model()["tree_info"]
    ]
    for number, (target, tree) in enumerate(roots):
        _add(tree["tree_structure"], number, target, tree["num_leaves"] - 1, nodes, leaves)
    node_columns = dict(zip(NODE, zip(*nodes, strict=True), strict=True))
    leaf_columns = dict(zip(LEAF, zip(*leaves, strict=True), strict=True))
    ensemble = helper.make_node(
        "TreeEnsembleRegressor",
        ["features"],
        ["raw"],
        domain="ai.onnx.ml",
        n_targets=len(models),
        **{f"nodes_{name}": values for name, values in node_columns.items()},
        **{f"target_{name}": values for name, values in leaf_columns.items()},
    )
    # Boosters of the Poisson objective sum up to the logarithm.
    linked = [model.params["objective"] == "poisson" for model in models]
    steps = [
        ensemble,
        helper.make_node(
            "Split", ["raw"], [f"raw_{name}" for name in OUTPUTS], axis=1, num_outputs=len(OUTPUTS)
        ),
    ]
    for name, log in zip(OUTPUTS, linked, strict=True):
        steps.append(helper.make_node("Exp" if log else "Identity", [f"raw_{name}"], [name]))
    steps.append(helper.make_node("Concat", OUTPUTS, ["shares"], axis=1))
    graph = helper.make_graph(
        steps,
        "forecaster",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info("shares", TensorProto.FLOAT, [None, len(OUTPUTS)])],
    )
    imports = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=9)
    onnx.checker.check_model(model)
    return model


def _add(node: dict, tree: int, target: int, inner: int, nodes: list[tuple], leaves: list[tuple]) -> int:
    """Adds a node of a LightGBM tree with `inner` inner nodes, and all below it; returns its number in the tree."""
    if "leaf_value" in node:
        number = inner + node.get("leaf_index", 0)
        nodes.append((tree, number, 0, 0.0, "LEAF", 0, 0))
        leaves.append((tree, number, target, float(node["leaf_value"])))
        return number
    number, place = node["split_index"], len(nodes)
    nodes.append(())  # the root must come first
    below = [_add(node[side], tree, target, inner, nodes, leaves) for side in ("left_child", "right_child")]
    nodes[place] = (
        tree,
        number,
        node["split_feature"],
        _not_above(node["threshold"]),
        "BRANCH_LEQ",
        *below,
    )
    return number


def _not_above(threshold: float) -> float:
    """The largest float32 not above it: ONNX stores float32, and rounding to the nearest can lift a threshold onto the
    next feature value and move rows to the other side; rounding down changes nothing for float32 features."""
    rounded = np.float32(threshold)
    return float(np.nextafter(rounded, np.float32(-np.inf)) if float(rounded) > threshold else rounded)
