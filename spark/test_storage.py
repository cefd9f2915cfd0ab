from __future__ import annotations

import pytest
from common.protocol import JobError
from storage import HadoopStorage, LocalStorage, Storage, open_storage


@pytest.fixture(params=["folders", "Hadoop's client"])
def storage(request: pytest.FixtureRequest, tmp_path) -> Storage:
    if request.param == "folders":
        return LocalStorage(str(tmp_path))
    return HadoopStorage(f"file://{tmp_path}", request.getfixturevalue("spark"))


def test_text_is_read_as_written_and_replaced_as_a_whole(storage):
    storage.write_text("a/b/LATEST", "one\n")
    storage.write_text("a/b/LATEST", "刀\n")
    assert storage.read_text("a/b/LATEST") == "刀\n"
    assert storage.names("a/b") == ["LATEST"]


def test_a_folder_counts_once_it_has_its_mark(storage):
    storage.write_json("raw/x/batch.json", {"kind": "generated"})
    assert not storage.committed("raw/x")
    storage.commit("raw/x")
    assert storage.committed("raw/x")
    assert storage.read_json("raw/x/batch.json") == {"kind": "generated"}


def test_a_folder_moves_and_goes_with_all_in_it(storage):
    storage.write_text("datasets/draft/table/part", "rows")
    storage.move("datasets/draft", "datasets/done")
    assert storage.names("datasets") == ["done"]
    storage.commit("datasets/done")
    storage.delete("datasets/done")
    storage.delete("datasets/never-there")
    assert storage.names("datasets") == []
    assert storage.names("nowhere") == []


def test_an_address_that_needs_spark_is_refused_without_it():
    with pytest.raises(JobError, match="hdfs"):
        open_storage("hdfs://host/lake")
    assert isinstance(open_storage("file:///tmp/some%20lake"), LocalStorage)
    assert open_storage("file:///tmp/some%20lake").uri("raw") == "file:///tmp/some lake/raw"
