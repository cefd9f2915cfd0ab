import json
import multiprocessing
import subprocess
import time

from common.train import Repro, _exclusive, shares


def reports(capsys):
    lines = capsys.readouterr().out.splitlines()
    progress = [
        json.loads(line.removeprefix("@progress ")) for line in lines if line.startswith("@progress ")
    ]
    return progress, [line for line in lines if not line.startswith("@progress ")]


def test_the_progress_of_every_stage_becomes_one_that_never_falls(capsys):
    repro = Repro(None)
    for line in [
        "Stage 'pull' didn't change, skipping",
        "Running stage 'train-recommender':",
        '@progress {"progress": 0.5, "stage": "train the ranker"}',
        '@progress {"progress": 1.0, "stage": "export"}',
        "Running stage 'train-forecaster':",
        "Running stage 'evaluate':",
        "Running stage 'register':",
        '@progress {"progress": 1.0, "stage": "register forecaster"}',
    ]:
        repro.read(line)
    progress, logs = reports(capsys)
    values = [report["progress"] for report in progress]
    assert values == sorted(values)
    assert 0.9 < values[-1] <= 1.0
    assert progress[0]["stage"] == "pull: unchanged"
    halfway = 0.02 + shares(None)["pull"] + 0.5 * shares(None)["train-recommender"]
    assert progress[2] == {"progress": round(halfway, 4), "stage": "train the ranker"}
    assert "Running stage 'evaluate':" in logs


def test_the_error_of_a_stage_is_kept_for_the_job_and_not_reported_twice(capsys):
    repro = Repro(None)
    repro.read("Running stage 'pull':")
    repro.read('@error {"code": "DATASET_INCOMPLETE", "message": "Run it again."}')
    repro.read("ERROR: failed to reproduce 'pull'")
    assert (repro.error.code, repro.error.message) == ("DATASET_INCOMPLETE", "Run it again.")
    assert reports(capsys)[1] == ["Running stage 'pull':", "ERROR: failed to reproduce 'pull'"]


def hold(workspace, order, name, seconds):
    # Written before the lock is let go: a queue of multiprocessing sends later, from a thread.
    with _exclusive(workspace), open(order, "a", buffering=1) as log:
        log.write(f"{name} began\n")
        time.sleep(seconds)
        log.write(f"{name} ended\n")


def wait_for(order, lines):
    for _ in range(500):
        if order.exists() and len(order.read_text().splitlines()) >= lines:
            break
        time.sleep(0.01)
    return order.read_text().splitlines()


def test_a_second_job_waits_until_the_first_leaves_the_workspace(tmp_path):
    context = multiprocessing.get_context("fork")
    order = tmp_path / "order"
    first = context.Process(target=hold, args=(tmp_path, order, "first", 0.5))
    first.start()
    assert wait_for(order, 1) == ["first began"]
    second = context.Process(target=hold, args=(tmp_path, order, "second", 0))
    second.start()
    assert wait_for(order, 4) == ["first began", "first ended", "second began", "second ended"]
    first.join()
    second.join()


def test_the_lock_outlives_a_killed_job_as_long_as_its_child(tmp_path):
    with _exclusive(tmp_path) as lock:
        child = subprocess.Popen(["sleep", "0.5"], pass_fds=[lock])
    started = time.monotonic()
    with _exclusive(tmp_path):
        assert time.monotonic() - started > 0.3
    child.wait()
