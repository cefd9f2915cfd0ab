import importlib.util
import json

import pytest
import yaml
from common.protocol import JobError

from summarizer import train


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def asked(models):
        (tmp_path / "params.yaml").write_text(yaml.safe_dump({"models": models}))
        return tmp_path

    return asked


def test_a_summarizer_that_nobody_asked_for_is_skipped_with_the_reason(workspace):
    folder = workspace(["recommender"])
    train.main()
    assert json.loads((folder / "out/summarizer/skipped.json").read_text()) == {
        "reason": "Not among the models to train."
    }


def test_without_its_packages_it_tells_how_to_get_them(workspace, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else found(name))
    workspace(["summarizer"])
    with pytest.raises(JobError) as error:
        train.main()
    assert error.value.code == "SUMMARIZER_NOT_INSTALLED"
    assert "npm run setup:summarizer" in error.value.message


def test_its_data_version_names_what_it_learns_from():
    assert train.data_version().startswith("conversations-")
    assert train.data_version() == train.data_version()
