import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from common import card
from common.bundle import MANIFEST, file_hashes
from common.protocol import JobError
from common.register import ALIAS, CHALLENGER, connect, register

PARAMS = {"seed": 7, "recommender": {"num_leaves": 31}, "forecaster": {}}


@pytest.fixture(scope="session")
def mlflow_uri(tmp_path_factory):
    """A real MLflow server, as the embedded profile starts it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = Path(__file__).with_name("mlflow_server.py")
    command = [
        sys.executable,
        str(script),
        "--data",
        str(tmp_path_factory.mktemp("mlflow")),
        "--port",
        str(port),
    ]
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    server = subprocess.Popen(command, env=env)
    uri = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{uri}/health", timeout=1)
                break
            except (urllib.error.URLError, OSError):
                assert server.poll() is None, "the server ended"
                time.sleep(0.1)
        yield uri
    finally:
        server.terminate()
        server.wait(10)


def trained(folder, ndcg, weights=b"weights", data_version="aaaa"):
    """What the stages before leave: a manifest, a bundle, an evaluation, and a model that was skipped."""
    data, out = folder / "data", folder / "out"
    bundle = out / "recommender" / "bundle"
    bundle.mkdir(parents=True, exist_ok=True)
    data.mkdir(exist_ok=True)
    (out / "forecaster").mkdir(exist_ok=True)
    (data / "manifest.json").write_text(
        json.dumps({"dataVersion": data_version, "counts": {"interactions": 3}})
    )
    (bundle / "model.onnx").write_bytes(weights)
    (out / "forecaster" / "skipped.json").write_text(json.dumps({"reason": "no sales"}))
    scores = {
        "ours": {"ndcg@10": ndcg},
        "popularity": {"ndcg@10": 0.1},
        "itemKnn": {"ndcg@10": 0.2},
        "ease": None,
    }
    serving = {"parity": 1e-6, "latencyMs": 1.0, "rows": 200}
    models = {"recommender": {"scores": scores, "serving": serving}, "forecaster": {"skipped": "no sales"}}
    (out / "evaluation.json").write_text(
        json.dumps({"dataVersion": data_version, "synthetic": True, "models": models})
    )
    (out / "drift.json").write_text(
        json.dumps({"recommender": {"age": {"edges": [1.0], "counts": [1, 0, 0]}}})
    )
    return data, out


@pytest.fixture
def registry(mlflow_uri, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_uri)
    monkeypatch.setenv("HASHIRA_COMMIT", "c0ffee")
    monkeypatch.setenv("HASHIRA_DATA_JOB", "job-1")
    client = connect()
    yield client
    for model in client.search_registered_models():
        client.delete_registered_model(model.name)


def test_the_same_bundle_on_the_same_data_is_registered_once_and_a_rollback_by_hand_stays(registry, tmp_path):
    first = register(*trained(tmp_path, 0.25), PARAMS)
    assert first["skipped"] == {"forecaster": "no sales"}
    assert [(m["name"], m["version"], m["production"]) for m in first["models"]] == [("recommender", 1, True)]

    better = register(*trained(tmp_path, 0.30, b"better"), PARAMS)
    assert [(m["version"], m["production"]) for m in better["models"]] == [(2, True)]

    registry.set_registered_model_alias("recommender", ALIAS, 1)
    again = register(*trained(tmp_path, 0.30, b"better"), PARAMS)
    assert [(m["version"], m["production"], m["gate"]["passed"]) for m in again["models"]] == [
        (2, False, True)
    ]
    assert len(registry.search_model_versions("name = 'recommender'")) == 2


def test_a_promotion_ends_the_split_of_the_traffic(registry, tmp_path):
    register(*trained(tmp_path, 0.25), PARAMS)
    register(*trained(tmp_path, 0.22, b"worse"), PARAMS)
    registry.set_registered_model_alias("recommender", CHALLENGER, 2)
    register(*trained(tmp_path, 0.22, b"worse"), PARAMS)
    assert registry.get_registered_model("recommender").aliases[CHALLENGER] == "2"
    register(*trained(tmp_path, 0.30, b"better"), PARAMS)
    assert registry.get_registered_model("recommender").aliases == {ALIAS: "3"}


def test_a_version_that_fails_the_gate_is_registered_and_not_promoted(registry, tmp_path):
    register(*trained(tmp_path, 0.25), PARAMS)
    worse = register(*trained(tmp_path, 0.22, b"worse"), PARAMS)["models"][0]
    assert (worse["version"], worse["production"], worse["gate"]["passed"]) == (2, False, False)
    assert "worse than production" in registry.get_model_version("recommender", 2).tags["gate.reason"]
    assert registry.get_model_version_by_alias("recommender", ALIAS).version == "1"


def test_a_run_stopped_before_the_alias_moved_is_finished_by_the_next(registry, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "mlflow.MlflowClient.set_registered_model_alias", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        register(*trained(tmp_path, 0.25), PARAMS)
    monkeypatch.undo()
    os.environ["MLFLOW_TRACKING_URI"] = registry.tracking_uri
    finished = register(*trained(tmp_path, 0.25), PARAMS)["models"][0]
    assert (finished["version"], finished["production"]) == (1, True)


def test_a_version_carries_its_lineage_and_every_file_with_its_hash(registry, tmp_path):
    register(*trained(tmp_path, 0.25), PARAMS)
    version = registry.get_model_version("recommender", 1)
    assert (
        version.tags.items()
        >= {"data_version": "aaaa", "commit": "c0ffee", "data_job": "job-1", "gate": "passed"}.items()
    )
    run = registry.get_run(version.run_id)
    assert run.data.metrics == {"ndcg_at_10": 0.25, "popularity.ndcg_at_10": 0.1, "itemKnn.ndcg_at_10": 0.2}
    assert run.data.params == {"seed": "7", "num_leaves": "31"}
    assert run.inputs.dataset_inputs[0].dataset.digest == "aaaa"

    bundle = Path(registry.download_artifacts(version.run_id, "model", str(tmp_path)))
    text = (bundle / card.FILE).read_text()
    assert "| ours | 0.2500 |" in text
    assert f"Passed: {version.tags['gate.reason']}." in text
    assert json.loads((bundle / "drift.json").read_text())["age"]["edges"] == [1.0]
    # Beside the bundle, and not a part of it.
    for file in (card.FILE, "drift.json"):
        (bundle / file).unlink()
    manifest = json.loads((bundle / MANIFEST).read_text())
    assert manifest == {
        "name": "recommender",
        "dataVersion": "aaaa",
        "commit": "c0ffee",
        "files": file_hashes(bundle),
    }
    assert set(manifest["files"]) == {"model.onnx"}


def test_a_registry_that_is_down_is_a_coded_error_within_bounds(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    started = time.monotonic()
    with pytest.raises(JobError) as failure:
        register(*trained(tmp_path, 0.25), PARAMS)
    assert failure.value.code == "REGISTRY_UNAVAILABLE"
    assert "127.0.0.1" not in failure.value.message
    assert time.monotonic() - started < 30
