"""Register stage: one MLflow run and one version per trained model, in production if it passes the gate.

Readers follow the alias `production`, so it moves last: whatever it points at is complete. A version is
registered once per bundle and data version. Running again finds it, and moves the alias only if an earlier
run was stopped just before; so a rollback by hand stays.
"""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from common import card, drift
from common.bundle import MANIFEST, bundle_hash, file_hashes
from common.evaluate import skipped
from common.gate import Decision, Evaluation, decide
from common.protocol import JobError, log, progress, run_job

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

DATA = Path("data")
OUT = Path("out")
ALIAS = "production"
CHALLENGER = "challenger"
ARTIFACT = "model"

# A registry that is down is reported after about 15 s, not after the minutes that MLflow's own defaults take.
HTTP_LIMITS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
}
# No telemetry, and no addresses in the log of the job.
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true"}


def register(data: Path, out: Path, params: dict[str, Any]) -> dict[str, Any]:
    """Register every trained model.

    Returns:
        {models: [{name, version, production, gate: {passed, reason}, metrics, dataVersion, runId}],
        skipped: {name: reason}}

    Raises:
        JobError: REGISTRY_UNAVAILABLE, REGISTRY_REFUSED.
    """
    evaluation = json.loads((out / "evaluation.json").read_text())
    references = json.loads((out / drift.FILE).read_text())
    reasons = {name: skipped(out / name) for name in evaluation["models"]}
    trained = [name for name, reason in reasons.items() if reason is None]
    client = connect() if trained else None
    models = []
    for index, name in enumerate(trained):
        progress(0.2 + 0.8 * index / len(trained), f"register {name}")
        models.append(
            _reported(
                lambda name=name: _register_model(client, name, data, out, params, evaluation, references)
            )
        )
    return {
        "models": models,
        "skipped": {name: reason for name, reason in reasons.items() if reason is not None},
    }


def connect() -> "MlflowClient":
    """A client of the registry at MLFLOW_TRACKING_URI that gives up soon."""
    # MLflow takes seconds to import: never at the top of a module.
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    if not uri.startswith(("http://", "https://")):
        raise JobError("REGISTRY_UNAVAILABLE", "No model registry is configured: set MLFLOW_TRACKING_URI.")
    for key, value in (HTTP_LIMITS | QUIET).items():
        os.environ.setdefault(key, value)
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _reported(call: Any) -> Any:
    """Turn MLflow's exceptions into coded errors without addresses; the log keeps the rest."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException

    try:
        return call()
    except (MlflowException, RequestException) as failure:
        log(f"registry: {failure}")
        status = failure.get_http_status_code() if isinstance(failure, MlflowException) else 503
        if status >= 500:
            raise JobError("REGISTRY_UNAVAILABLE", "The model registry does not answer.") from failure
        raise JobError("REGISTRY_REFUSED", "The model registry refused the new version.") from failure


def _register_model(
    client: "MlflowClient",
    name: str,
    data: Path,
    out: Path,
    params: dict[str, Any],
    evaluation: dict[str, Any],
    references: dict[str, Any],
) -> dict[str, Any]:
    bundle = out / name / "bundle"
    files = file_hashes(bundle)
    digest = bundle_hash(files)
    evaluated = {**evaluation, **evaluation["models"][name]}
    data_version, scores = evaluated["dataVersion"], evaluated["scores"]
    _ensure_model(client, name)

    version = _find(client, name, digest, data_version)
    if version is None:
        production = _production(client, name)
        decision = decide(
            name,
            Evaluation(scores, data_version, evaluated["synthetic"], evaluated.get("serving")),
            None if production is None else _evaluation_of(production),
        )
        lineage = {
            "data_version": data_version,
            "commit": _commit(),
            "data_job": os.environ.get("HASHIRA_DATA_JOB", ""),
        }
        dataset = json.loads((data / "manifest.json").read_text())
        beside = {card.FILE: card.card(name, evaluated, dataset, lineage, decision, params["seed"])}
        if name in references:
            beside[drift.FILE] = json.dumps(references[name])
        run_id = _log_run(client, name, bundle, files, lineage, params, scores, dataset, out, beside)
        version = client.create_model_version(
            name,
            # Not runs:/…: the server itself serves the files of this address only.
            source=f"{client.get_run(run_id).info.artifact_uri}/{ARTIFACT}",
            run_id=run_id,
            tags={
                **lineage,
                "bundle_sha256": digest,
                "gate": "passed" if decision.passed else "failed",
                "gate.reason": decision.reason,
                # Readers list versions with their metrics in one request.
                "metrics": json.dumps(scores),
                "synthetic": json.dumps(evaluated["synthetic"]),
            },
            await_creation_for=0,
        )
        log(f"{name} version {version.version}: gate {version.tags['gate']}, {decision.reason}")

    decision = Decision(version.tags["gate"] == "passed", version.tags["gate.reason"])
    if decision.passed and "promoted" not in version.tags:
        # A split compares a version with the one in production, which changes now.
        client.delete_registered_model_alias(name, CHALLENGER)
        client.set_registered_model_alias(name, ALIAS, version.version)
        client.set_model_version_tag(name, version.version, "promoted", "true")
    current = _production(client, name)
    return {
        "name": name,
        "version": int(version.version),
        "production": current is not None and current.version == version.version,
        "gate": {"passed": decision.passed, "reason": decision.reason},
        "metrics": scores,
        "dataVersion": data_version,
        "runId": version.run_id,
    }


def _ensure_model(client: "MlflowClient", name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as failure:
        if failure.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _find(client: "MlflowClient", name: str, digest: str, data_version: str) -> "ModelVersion | None":
    # Filtered here: how stores filter by tags differs, and a model has few versions.
    for version in _versions(client, name):
        if (version.tags.get("bundle_sha256"), version.tags.get("data_version")) == (digest, data_version):
            return version
    return None


def _versions(client: "MlflowClient", name: str) -> "list[ModelVersion]":
    found, token = [], None
    while True:
        page = client.search_model_versions(f"name = '{name}'", max_results=200, page_token=token)
        found += page
        token = page.token
        if not token:
            return found


def _production(client: "MlflowClient", name: str) -> "ModelVersion | None":
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version_by_alias(name, ALIAS)
    except MlflowException as failure:
        if failure.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def _evaluation_of(version: "ModelVersion") -> Evaluation | None:
    """What was measured when `version` was registered; None for a version that something else registered."""
    tags = version.tags
    if "metrics" not in tags or "data_version" not in tags:
        return None
    return Evaluation(
        json.loads(tags["metrics"]), tags["data_version"], json.loads(tags.get("synthetic", "false"))
    )


def _log_run(
    client: "MlflowClient",
    name: str,
    bundle: Path,
    files: dict[str, str],
    lineage: dict[str, str],
    params: dict[str, Any],
    scores: dict[str, dict[str, float | None] | None],
    dataset: dict[str, Any],
    out: Path,
    beside: dict[str, str],
) -> str:
    """One finished run with parameters, metrics, dataset, evaluation.json and the bundle in `model/`.

    `dataset`: its manifest. `beside`: texts that lie in `model/` too, for readers: serving does not load them.
    """
    from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
    from mlflow.utils.time import get_current_time_millis

    now = get_current_time_millis()
    experiment = client.get_experiment_by_name(name)
    experiment_id = experiment.experiment_id if experiment else client.create_experiment(name)
    run_id = client.create_run(experiment_id, run_name=f"{name}-{lineage['data_version']}").info.run_id
    try:
        client.log_batch(
            run_id,
            metrics=[Metric(key, value, now, 0) for key, value in _metrics(scores).items()],
            params=[
                Param(key, str(value)) for key, value in {"seed": params["seed"], **params[name]}.items()
            ],
            tags=[
                RunTag(key, value)
                for key, value in {**lineage, "mlflow.source.git.commit": lineage["commit"]}.items()
            ],
        )
        client.log_inputs(
            run_id,
            [
                DatasetInput(
                    Dataset(
                        name="hashira",
                        digest=lineage["data_version"],
                        source_type="local",
                        source=json.dumps({"dataset": lineage["data_version"]}),
                        profile=json.dumps(dataset.get("counts", {})),
                    ),
                    [InputTag("mlflow.data.context", "training")],
                )
            ],
        )
        client.log_artifact(run_id, str(out / "evaluation.json"))
        with tempfile.TemporaryDirectory() as folder:
            # A copy: the bundle itself is an output of the training stage, whose hash DVC keeps.
            copy = Path(folder, ARTIFACT)
            shutil.copytree(bundle, copy)
            manifest = {
                "name": name,
                "dataVersion": lineage["data_version"],
                "commit": lineage["commit"],
                "files": files,
            }
            (copy / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
            for file, text in beside.items():
                (copy / file).write_text(text)
            client.log_artifacts(run_id, str(copy), ARTIFACT)
        client.set_terminated(run_id)
    except BaseException:
        client.set_terminated(run_id, "FAILED")
        raise
    return run_id


def _metrics(scores: dict[str, dict[str, float | None] | None]) -> dict[str, float]:
    """Flat names that MLflow accepts: `ndcg_at_10` is ours, `popularity.ndcg_at_10` a baseline's."""
    flat: dict[str, float] = {}
    for who, row in scores.items():
        for metric, value in (row or {}).items():
            if value is not None:
                flat[("" if who == "ours" else f"{who}.") + metric.replace("@", "_at_")] = value
    return flat


def _commit() -> str:
    given = os.environ.get("HASHIRA_COMMIT")
    if given:
        return given
    try:
        return subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def main() -> None:
    progress(0.0, "connect to the registry")
    registered = register(DATA, OUT, yaml.safe_load(Path("params.yaml").read_text()))
    # Written whole or not at all: the training job reads its result from here.
    partial = OUT / "registered.json.partial"
    partial.write_text(json.dumps(registered, indent=2) + "\n")
    partial.rename(OUT / "registered.json")


if __name__ == "__main__":
    run_job(main)
