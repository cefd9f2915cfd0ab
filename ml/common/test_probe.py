import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from common.probe import measure, write_probe

ROWS = np.arange(30, dtype=np.float32).reshape(10, 3)


@pytest.fixture
def folder(tmp_path):
    """A bundle whose model adds the features of a row."""
    graph = helper.make_graph(
        [helper.make_node("ReduceSum", ["features", "axes"], ["sum"])],
        "sum",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor_value_info("sum", TensorProto.FLOAT, [None, 1])],
        [helper.make_tensor("axes", TensorProto.INT64, [1], [1])],
    )
    (tmp_path / "bundle").mkdir()
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, tmp_path / "bundle" / "model.onnx")
    return tmp_path


def test_a_model_that_says_what_was_trained_is_measured_with_its_latency(folder):
    write_probe(folder, "model.onnx", ROWS, ROWS.sum(axis=1))
    served = measure(folder)
    assert served["parity"] < 1e-6
    assert 0 < served["latencyMs"] < 1_000


def test_the_worst_row_tells_the_parity_relative_to_what_is_large(folder):
    expected = ROWS.sum(axis=1)
    expected[-1] *= 2
    write_probe(folder, "model.onnx", ROWS, expected)
    assert measure(folder)["parity"] == pytest.approx(0.5)


def test_an_answer_that_is_no_number_is_never_at_par(folder):
    rows = ROWS.copy()
    rows[0, 0] = np.nan
    write_probe(folder, "model.onnx", rows, ROWS.sum(axis=1))
    assert measure(folder)["parity"] > 1e6


def test_without_a_probe_nothing_is_known(folder):
    assert measure(folder) is None
