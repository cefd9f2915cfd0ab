"""The folder of a training job: a snapshot of the code, the job's parameters, what earlier runs left.

A snapshot keeps a run reproducible while somebody edits the sources, and lets several data folders train
from one checkout.
"""

import filecmp
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from common.gate import RULES
from common.protocol import JobError

# What a snapshot leaves out, at any depth, and never touches in the workspace.
IGNORED = {"data", "out", ".dvc", "dvc.lock", "__pycache__", ".pytest_cache", ".ruff_cache", ".lock"}
# The job sets these by their own options.
RESERVED = {"data", "models"}


def prepare(
    source: Path,
    workspace: Path,
    store_uri: str,
    data_version: str,
    models: list[str] | None,
    overrides: dict[str, Any],
) -> None:
    """Make `workspace` ready for `dvc repro`. dvc.lock, out/ and the cache of earlier runs stay.

    Raises:
        JobError: BAD_PARAMS when `models` or `overrides` do not fit params.yaml of `source`.
    """
    params = override(yaml.safe_load((source / "params.yaml").read_text()), models, overrides)
    params["data"] = {"store_uri": store_uri, "version": data_version}
    workspace.mkdir(parents=True, exist_ok=True)
    snapshot(source, workspace)
    _write(workspace / "params.yaml", yaml.safe_dump(params, sort_keys=False, allow_unicode=True))
    _init_dvc(workspace, store_uri)


def snapshot(source: Path, workspace: Path) -> None:
    """Mirror the code of `source`: files gone there go here too. Unchanged files keep their times."""
    wanted = {path.relative_to(source) for path in _files(source)}
    for path in list(_files(workspace)):
        if path.relative_to(workspace) not in wanted:
            path.unlink()
    for path in wanted:
        copy = workspace / path
        if path.name == "params.yaml" or (copy.exists() and filecmp.cmp(source / path, copy, shallow=False)):
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, copy)


def _files(root: Path):
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in IGNORED]
        yield from (Path(folder, name) for name in files if name not in IGNORED)


def override(params: dict[str, Any], models: list[str] | None, overrides: dict[str, Any]) -> dict[str, Any]:
    """`params` with the job's values; every value keeps the type of its default, and a number its sign.

    Raises:
        JobError: BAD_PARAMS naming the first value that does not fit.
    """
    params = dict(params)
    if models is not None:
        known = list(RULES)
        if not models or any(name not in known for name in models):
            raise JobError("BAD_PARAMS", f"Models to train are one or more of: {', '.join(known)}.")
        # In one order, so that the order of asking changes nothing.
        params["models"] = [name for name in known if name in models]
    for key, value in overrides.items():
        if key not in params or key in RESERVED:
            changeable = ", ".join(key for key in params if key not in RESERVED)
            raise JobError("BAD_PARAMS", f"There is no parameter {key[:60]}; there are: {changeable}.")
        params[key] = _checked(key, params[key], value)
    return params


def _checked(name: str, default: Any, value: Any) -> Any:
    if isinstance(default, dict):
        if not isinstance(value, dict):
            raise JobError("BAD_PARAMS", f"{name} must be an object.")
        for key in value:
            if key not in default:
                raise JobError(
                    "BAD_PARAMS",
                    f"There is no parameter {name}.{str(key)[:60]}; there are: {', '.join(default)}.",
                )
        return {
            key: _checked(f"{name}.{key}", old, value[key]) if key in value else old
            for key, old in default.items()
        }
    if isinstance(default, list):
        if not isinstance(value, list) or not value:
            raise JobError("BAD_PARAMS", f"{name} must be a list with at least one value.")
        return [_checked(f"{name}[{index}]", default[0], item) for index, item in enumerate(value)]
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise JobError("BAD_PARAMS", f"{name} must be true or false.")
        return value
    if isinstance(default, int | float):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise JobError("BAD_PARAMS", f"{name} must be a number.")
        if isinstance(default, int):
            if value != int(value):
                raise JobError("BAD_PARAMS", f"{name} must be a whole number.")
            value = int(value)
        if value < 0 <= default or (isinstance(default, int) and value == 0 < default):
            raise JobError("BAD_PARAMS", f"{name} is too small.")
        return value
    if not isinstance(value, type(default)):
        raise JobError("BAD_PARAMS", f"{name} must be a {type(default).__name__}.")
    return value


def dvc_environment(workspace: Path) -> dict[str, str]:
    """The environment of DVC and its stages: nothing outside `workspace` is written, nobody is told of it."""
    env = dict(os.environ)
    # Writing byte code once saves each later stage seconds of imports.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    # The stages run the snapshot's modules and no others.
    env.pop("PYTHONPATH", None)
    return env | {
        # `python` in dvc.yaml is the one that runs this.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', os.defpath)}",
        "PYTHONUNBUFFERED": "1",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(workspace / ".dvc" / "site-cache"),
        "GIT_PYTHON_REFRESH": "quiet",
        "DO_NOT_TRACK": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def _init_dvc(workspace: Path, store_uri: str) -> None:
    if not (workspace / ".dvc" / "config").exists():
        subprocess.run(
            [sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"],
            cwd=workspace,
            env=dvc_environment(workspace),
            check=True,
        )
    # Written as a file: three calls of `dvc config` would take seconds. The cache stays local.
    lines = [
        "[core]",
        "    no_scm = True",
        "    analytics = false",
        "    check_update = false",
        "    remote = store",
    ]
    lines += ["['remote \"store\"']", f"    url = {_remote(store_uri)}"]
    if store_uri.startswith("s3://"):
        lines.append(f"    region = {os.environ.get('S3_REGION', 'us-east-1')}")
        if endpoint := os.environ.get("S3_ENDPOINT"):
            lines.append(f"    endpointurl = {endpoint}")
    _write(workspace / ".dvc" / "config", "\n".join(lines) + "\n")


def _remote(store_uri: str) -> str:
    parts = urlsplit(store_uri)
    if parts.scheme in ("", "file"):
        return str(Path(parts.path if parts.scheme else store_uri).resolve() / "dvc")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/dvc"


def _write(file: Path, text: str) -> None:
    if not file.exists() or file.read_text() != text:
        file.write_text(text)
