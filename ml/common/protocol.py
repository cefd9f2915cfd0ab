"""How a child process (a Spark job, a DVC stage) reports to the worker that started it.

One line on stdout each; every other line, on stdout or stderr, is a log line:

    @progress {"progress": 0.42, "stage": "write events"}    progress 0..1 of this process
    @result {...}                                            once, at success
    @error {"code": "LAKE_EMPTY", "message": "..."}          then the process exits with status 1
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any


class JobError(Exception):
    """A failure that a person can act on.

    code: UPPER_SNAKE_CASE, stable. message: one sentence without paths, addresses or secrets, because it
    is shown to whoever asked for the job.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


_keep: Callable[[str, dict[str, Any]], None] | None = None


def keep(keeper: Callable[[str, dict[str, Any]], None]) -> None:
    """From now on `keeper` is called with `result` or `error` and its payload too, before it is reported."""
    global _keep
    _keep = keeper


def _emit(mark: str, payload: dict[str, Any]) -> None:
    # One write per line, so that lines of several threads never mix.
    sys.stdout.write(f"@{mark} {json.dumps(payload, ensure_ascii=False, allow_nan=False)}\n")
    sys.stdout.flush()


def progress(fraction: float, stage: str) -> None:
    """Reports that `fraction` (0..1, clipped) of this process is done and that `stage` begins."""
    _emit("progress", {"progress": round(min(1.0, max(0.0, fraction)), 4), "stage": stage})


def result(payload: dict[str, Any]) -> None:
    """Reports success; call it once, last. NaN and infinity are not JSON: pass None instead."""
    if _keep:
        _keep("result", payload)
    _emit("result", payload)


def error(code: str, message: str) -> None:
    """Reports the failure that ends this process. `run_job` calls it; domain code raises JobError."""
    payload = {"code": code, "message": message}
    if _keep:
        try:
            _keep("error", payload)
        except Exception:
            # What went wrong before is what counts.
            traceback.print_exc()
    _emit("error", payload)


def log(message: str) -> None:
    """Prints one log line at once (a child's stdout is a pipe, which Python would buffer)."""
    print(message, flush=True)


def run_job(main: Callable[[], None], classify: Callable[[Exception], JobError | None] | None = None) -> None:
    """Runs `main` and ends the process: status 0, or an @error line and a status that is not 0.

    `classify` may turn a library's exception into a JobError. What stays unknown is reported as
    INTERNAL_ERROR with its traceback in the log, so that the public message tells no internals.
    SIGTERM ends `main` as Ctrl-C does, so that its clean-up runs.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    status = 1
    try:
        main()
        status = 0
    except JobError as failure:
        error(failure.code, failure.message)
    except KeyboardInterrupt:
        error("CANCELLED", "The job was interrupted.")
        status = 130
    except Exception as failure:
        known = classify(failure) if classify else None
        known = known or _explain(failure)
        traceback.print_exc()
        error(known.code, known.message)
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(status)


def _explain(failure: Exception) -> JobError:
    if isinstance(failure, OSError):
        if failure.errno in (errno.ENOSPC, errno.EDQUOT):
            return JobError("DISK_FULL", "There is no space left on the disk.")
        name = os.path.basename(str(failure.filename)) if failure.filename else "a file"
        reason = (failure.strerror or type(failure).__name__).lower()
        return JobError("FILE_ERROR", f"Cannot use {name}: {reason}.")
    return JobError("INTERNAL_ERROR", f"Failed unexpectedly ({type(failure).__name__}); the log tells more.")
