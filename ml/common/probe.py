"""What proves that an exported model can be served: it says what the trained one said, and says it in time.

The train stage leaves real feature rows with the trained model's answers in `probe_<model file>.npz`, beside the
bundle; `measure` asks the files of the bundle the same.
"""

from pathlib import Path
from time import perf_counter

import numpy as np

from common.gate import Serving

ROWS = 2_000
# About the candidates of one user, or the horizon of seven products.
BATCH = 200
RUNS = 30


def write_probe(folder: Path, model_file: str, rows: np.ndarray, expected: np.ndarray) -> None:
    """`rows` are features [rows, features]; `expected` what the trained model says of them, one or more columns."""
    np.savez_compressed(
        folder / f"probe_{Path(model_file).stem}.npz",
        model=model_file,
        rows=rows[:ROWS].astype(np.float32),
        expected=expected[:ROWS],
    )


def measure(folder: Path) -> Serving | None:
    """The worst of all models in `folder`/bundle; None when the train stage left no probe."""
    measured = [_measure(folder / "bundle", probe) for probe in sorted(folder.glob("probe_*.npz"))]
    if not measured:
        return None
    return {
        "parity": max(one["parity"] for one in measured),
        "latencyMs": max(one["latencyMs"] for one in measured),
        "rows": max(one["rows"] for one in measured),
    }


def _measure(bundle: Path, probe: Path) -> Serving:
    # Takes a moment, and not all that import this module measure.
    import onnxruntime

    with np.load(probe) as saved:
        file, rows, expected = str(saved["model"]), saved["rows"], saved["expected"]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # As serving runs it: requests share the cores.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(bundle / file), options, providers=["CPUExecutionProvider"])
    answers = session.run(None, {"features": rows})[0].reshape(expected.shape)
    difference = np.abs(answers - expected) / np.maximum(np.abs(expected), 1.0)

    batch = np.resize(rows, (BATCH, rows.shape[1]))
    times = []
    for _ in range(RUNS):
        start = perf_counter()
        session.run(None, {"features": batch})
        times.append(perf_counter() - start)
    return {
        # Not NaN, which JSON has not: an answer that is no number is as wrong as can be.
        "parity": float(np.nan_to_num(difference, nan=1e9, posinf=1e9).max(initial=0)),
        "latencyMs": round(1e3 * float(np.median(times)), 3),
        "rows": BATCH,
    }
