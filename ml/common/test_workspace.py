import pytest
import yaml

from common.protocol import JobError
from common.workspace import override, prepare, snapshot

PARAMS = {
    "data": {"store_uri": "x", "version": "latest"},
    "models": ["recommender", "forecaster"],
    "seed": 7,
    "recommender": {
        "num_leaves": 31,
        "learning_rate": 0.1,
        "weights": [1.0, 2.0],
        "bagging": True,
        "objective": "lambdarank",
    },
    "forecaster": {},
}


def test_overrides_change_what_they_name_and_nothing_else():
    changed = override(
        PARAMS,
        ["forecaster", "recommender"],
        {"seed": 3, "recommender": {"learning_rate": 1, "num_leaves": 15}},
    )
    assert changed["models"] == ["recommender", "forecaster"]
    assert (changed["seed"], changed["recommender"]) == (
        3,
        PARAMS["recommender"] | {"learning_rate": 1, "num_leaves": 15},
    )
    assert PARAMS["seed"] == 7


@pytest.mark.parametrize(
    ("models", "overrides"),
    [
        (["summariser"], {}),
        ([], {}),
        (None, {"models": ["recommender"]}),
        (None, {"data": {"version": "x"}}),
        (None, {"unknown": 1}),
        (None, {"recommender": 1}),
        (None, {"recommender": {"num_leafs": 3}}),
        (None, {"recommender": {"num_leaves": "31"}}),
        (None, {"recommender": {"num_leaves": 2.5}}),
        (None, {"recommender": {"num_leaves": 0}}),
        (None, {"recommender": {"num_leaves": True}}),
        (None, {"recommender": {"learning_rate": float("nan")}}),
        (None, {"recommender": {"learning_rate": -0.1}}),
        (None, {"recommender": {"weights": []}}),
        (None, {"recommender": {"weights": [1, "a"]}}),
        (None, {"recommender": {"bagging": 1}}),
        (None, {"recommender": {"objective": None}}),
    ],
)
def test_a_parameter_that_does_not_fit_its_default_is_refused(models, overrides):
    with pytest.raises(JobError) as failure:
        override(PARAMS, models, overrides)
    assert failure.value.code == "BAD_PARAMS"


def source(tmp_path):
    folder = tmp_path / "ml"
    (folder / "recommender" / "__pycache__").mkdir(parents=True)
    (folder / "recommender" / "train.py").write_text("one")
    (folder / "recommender" / "__pycache__" / "train.pyc").write_text("")
    (folder / ".dvcignore").touch()
    (folder / "data").mkdir()
    (folder / "data" / "manifest.json").write_text("{}")
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    return folder


def test_a_snapshot_follows_the_code_and_keeps_what_earlier_runs_left(tmp_path):
    folder, workspace = source(tmp_path), tmp_path / "work"
    (workspace / "out").mkdir(parents=True)
    (workspace / "out" / "kept").touch()
    (workspace / "recommender").mkdir()
    (workspace / "recommender" / "gone.py").touch()
    snapshot(folder, workspace)
    names = {path.relative_to(workspace).as_posix() for path in workspace.rglob("*") if path.is_file()}
    assert names == {"out/kept", "recommender/train.py", ".dvcignore"}


def test_preparing_a_second_time_changes_no_file_that_dvc_watches(tmp_path):
    folder, workspace = source(tmp_path), tmp_path / "work"

    def state():
        prepare(folder, workspace, str(tmp_path / "store"), "0123", ["recommender"], {"seed": 3})
        return {
            path: path.stat().st_mtime_ns
            for path in workspace.rglob("*")
            if path.is_file() and ".dvc" not in path.parts
        }

    assert state() == state()
    params = yaml.safe_load((workspace / "params.yaml").read_text())
    assert params == PARAMS | {
        "data": {"store_uri": str(tmp_path / "store"), "version": "0123"},
        "models": ["recommender"],
        "seed": 3,
    }
