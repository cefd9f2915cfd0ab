import pytest

from common.protocol import JobError
from common.pull import pull

VERSION = "0123456789abcdef"


def write_dataset(store, names, complete=True):
    dataset = store / "datasets" / VERSION
    (dataset / "sales").mkdir(parents=True)
    (dataset / "manifest.json").write_text("{}")
    for name, content in names.items():
        (dataset / "sales" / name).write_bytes(content)
    if complete:
        (dataset / "_SUCCESS").touch()
    (store / "datasets" / "LATEST").write_text(f"{VERSION}\n")
    return store


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_equal_data_gives_equal_files_whatever_spark_called_them(tmp_path):
    one = write_dataset(
        tmp_path / "one", {"part-0-aaa.parquet": b"x", "part-1-bbb.parquet": b"y", ".part.crc": b"c"}
    )
    two = write_dataset(
        tmp_path / "two", {"part-0-zzz.parquet": b"y", "part-1-yyy.parquet": b"x", "_SUCCESS": b""}
    )
    pull(str(one), VERSION, tmp_path / "data-one")
    assert pull(two.as_uri(), "latest", tmp_path / "data-two") == VERSION
    assert files(tmp_path / "data-one") == files(tmp_path / "data-two")
    assert set(files(tmp_path / "data-one")) == {
        "manifest.json",
        "sales/part-00000.parquet",
        "sales/part-00001.parquet",
    }


def test_a_pull_leaves_nothing_of_the_dataset_before(tmp_path):
    store = write_dataset(tmp_path / "store", {"part.parquet": b"x"})
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "old.parquet").touch()
    pull(str(store), VERSION, tmp_path / "data")
    assert "old.parquet" not in files(tmp_path / "data")


def test_a_dataset_without_its_commit_mark_is_refused_and_the_old_one_kept(tmp_path):
    store = write_dataset(tmp_path / "store", {"part.parquet": b"x"}, complete=False)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "old").touch()
    with pytest.raises(JobError) as failure:
        pull(str(store), VERSION, tmp_path / "data")
    assert failure.value.code == "DATASET_INCOMPLETE"
    assert "old" in files(tmp_path / "data")


@pytest.mark.parametrize("version", ["latest", VERSION, "../secrets"])
def test_a_dataset_that_does_not_exist_is_named_so_without_a_path(tmp_path, version):
    with pytest.raises(JobError) as failure:
        pull(str(tmp_path), version, tmp_path / "data")
    assert failure.value.code == "DATASET_NOT_FOUND"
    assert str(tmp_path) not in failure.value.message
