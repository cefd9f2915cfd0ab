"""One training job.

    python ml/common/train.py --workspace DIR --store-uri URI --data-version V [--models a,b] [--params JSON]

Prepares the workspace, runs `dvc repro` there, and reports as one process: progress over all stages, the
error of the stage that failed, and at the end what was registered. MLFLOW_TRACKING_URI says where the
registry is.
"""

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    # Run as a file from anywhere: modules are named from the folder above, not from its own.
    sys.path[0] = str(SOURCE)

from common.protocol import JobError, log, progress, result, run_job  # noqa: E402
from common.pull import resolve_version  # noqa: E402
from common.workspace import dvc_environment, prepare  # noqa: E402

# How long each stage takes beside the others, about. Of a model that is not trained, next to nothing.
WEIGHTS = {
    "pull": 4,
    "train-recommender": 40,
    "train-forecaster": 30,
    "train-summarizer": 400,
    "evaluate": 16,
    "register": 6,
}
# The rest is the preparation before and the push after.
STAGES_SHARE = 0.96
START = 0.02
PUSH_SECONDS = 300


def train(
    workspace: Path, store_uri: str, data_version: str, models: list[str] | None, overrides: dict[str, Any]
) -> dict[str, Any]:
    """Returns what the register stage wrote: {models, skipped}."""
    progress(0.0, "prepare the workspace")
    workspace = workspace.resolve()
    workspace.mkdir(parents=True, exist_ok=True)
    with _exclusive(workspace) as lock:
        prepare(SOURCE, workspace, store_uri, resolve_version(store_uri, data_version), models, overrides)
        _repro(workspace, lock, models)
        _push(workspace)
        return json.loads((workspace / "out" / "registered.json").read_text())


@contextlib.contextmanager
def _exclusive(workspace: Path) -> Iterator[int]:
    """One job at a time in a workspace: a second one would change the parameters under the first.

    Yields the descriptor that holds the lock. A child that inherits it keeps the lock when this process is
    killed.
    """
    with (workspace / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(0.0, "wait for another training to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def shares(models: list[str] | None) -> dict[str, float]:
    """Share of the whole that each stage takes. `models`: those to train; None: the usual two."""
    trained = models or ["recommender", "forecaster"]
    weights = {
        stage: weight if stage.removeprefix("train-") in trained or not stage.startswith("train-") else 0.1
        for stage, weight in WEIGHTS.items()
    }
    return {stage: STAGES_SHARE * weight / sum(weights.values()) for stage, weight in weights.items()}


class Repro:
    """Reads the output of `dvc repro`: which stage runs, how far it is, and why it failed."""

    def __init__(self, models: list[str] | None) -> None:
        self.weights = shares(models)
        self.done = START
        self.stage: str | None = None
        self.error: JobError | None = None

    def read(self, line: str) -> None:
        if line.startswith("Running stage '") or line.startswith("Stage '"):
            self._enter(line.split("'")[1], ran=line.startswith("Running"))
        elif line.startswith("@progress "):
            report = json.loads(line.removeprefix("@progress "))
            weight = self.weights.get(self.stage or "", 0.0)
            progress(self.done + weight * report["progress"], report["stage"])
            return
        elif line.startswith("@error "):
            # Reported once, when DVC has ended.
            report = json.loads(line.removeprefix("@error "))
            self.error = JobError(report["code"], report["message"])
            return
        log(line)

    def _enter(self, stage: str, ran: bool) -> None:
        if self.stage is not None:
            self.done += self.weights.get(self.stage, 0.0)
        self.stage = stage
        progress(self.done, stage if ran else f"{stage}: unchanged")


def _repro(workspace: Path, lock: int, models: list[str] | None) -> None:
    reader = Repro(models)
    process = subprocess.Popen(
        [sys.executable, "-m", "dvc", "repro"],
        cwd=workspace,
        env=dvc_environment(workspace) | {"HASHIRA_COMMIT": os.environ.get("HASHIRA_COMMIT") or _commit()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        pass_fds=[lock],
        # Its own group, so that an interrupt ends the stage as well as DVC.
        start_new_session=True,
    )
    try:
        for line in process.stdout or ():
            reader.read(line.rstrip("\n"))
        status = process.wait()
    except BaseException:
        _end(process)
        raise
    if status != 0:
        raise reader.error or JobError(
            "TRAINING_FAILED", f"The stage {reader.stage or 'pull'} failed; the log tells why."
        )


def _end(process: subprocess.Popen[str]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)


def _commit() -> str:
    """The commit of the sources, marked when they differ from it: the snapshot itself has no history."""
    try:
        head = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=SOURCE, capture_output=True, text=True, check=True
        )
        changes = subprocess.run(
            ["git", "status", "--porcelain", "--", "."],
            cwd=SOURCE,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + ("-dirty" if changes.stdout.strip() else "")


def _push(workspace: Path) -> None:
    """Copy the models' cache to the store. A failure costs only the copy: the registry has the versions."""
    progress(START + STAGES_SHARE, "push to the store")
    lock, mark = workspace / "dvc.lock", workspace / ".dvc" / "tmp" / "pushed"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if mark.exists() and mark.read_text() == digest:
        return
    try:
        subprocess.run(
            [sys.executable, "-m", "dvc", "push", "--quiet"],
            cwd=workspace,
            env=dvc_environment(workspace),
            stdin=subprocess.DEVNULL,
            check=True,
            timeout=PUSH_SECONDS,
        )
        mark.write_text(digest)
    except (OSError, subprocess.SubprocessError) as failure:
        log(f"warning: the models were not pushed to the store: {type(failure).__name__}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--workspace", type=Path, required=True, help="folder of the job, kept between runs"
    )
    arguments.add_argument("--store-uri", required=True, help="where the clean datasets are")
    arguments.add_argument("--data-version", default="latest", help="data version, or latest")
    arguments.add_argument("--models", help="comma-separated; default: all")
    arguments.add_argument("--params", default="{}", help="JSON object that overrides values of params.yaml")
    options = arguments.parse_args()
    try:
        overrides = json.loads(options.params)
    except json.JSONDecodeError as failure:
        raise JobError("BAD_PARAMS", "The parameters are not JSON.") from failure
    if not isinstance(overrides, dict):
        raise JobError("BAD_PARAMS", "The parameters must be an object.")
    models = options.models.split(",") if options.models else None
    result(train(options.workspace, options.store_uri, options.data_version, models, overrides))


if __name__ == "__main__":
    run_job(main)
