import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommender import train
from recommender.bundle import read_model
from recommender.data import load_dataset
from recommender.evaluate import evaluate
from recommender.ranker import Ranker
from recommender.settings import Settings, read_settings
from recommender.tables import build_tables, recent_popularity

TIMES = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("user_id", "product_id", "split")]
    + [(name, pa.int32()) for name in ("views", "carts", "purchases")]
    + [("quantity", pa.float64()), ("weight", pa.float64()), ("first_at", TIMES), ("last_at", TIMES)]
)


def write_dataset(folder: Path, users: int, *, times: bool = True, prices: bool = True) -> Path:
    """Users with one of three tastes over 30 products of (prices: three, else one) categories."""
    rng = np.random.default_rng(5)
    rows = []
    for user in range(users):
        chance = np.where(np.arange(30) % 3 == user % 3, 5.0, 1.0) * np.linspace(2, 0.5, 30)
        items = rng.choice(30, size=12, replace=False, p=chance / chance.sum())
        for item, split in zip(items, ["train"] * 6 + ["valid"] * 3 + ["test"] * 3, strict=True):
            month = {"train": 1, "valid": 3, "test": 4}[split]
            at = (
                datetime(2026, month, 1, tzinfo=UTC) + timedelta(hours=int(rng.integers(0, 500)))
                if times
                else None
            )
            rows.append(
                (
                    f"u{user:03}",
                    f"p{item:02}",
                    split,
                    1,
                    0,
                    int(user % 2),
                    1.0,
                    np.log1p(1 + user % 2),
                    at,
                    at,
                )
            )
    columns = [
        pa.array(list(column), field.type)
        for column, field in zip(zip(*rows, strict=True), SCHEMA, strict=True)
    ]
    write(folder / "interactions", pa.Table.from_arrays(columns, schema=SCHEMA))
    ids = [f"p{item:02}" for item in range(30)]
    write(
        folder / "products",
        pa.table(
            {
                "product_id": ids,
                "category_id": [f"c{item % 3}" if prices else "all" for item in range(30)],
                "price": pa.array([10.0 + item if prices else None for item in range(30)], pa.float64()),
            }
        ),
    )
    (folder / "manifest.json").write_text(json.dumps({"dataVersion": "0" * 16}))
    return folder


def write(folder: Path, table: pa.Table) -> None:
    folder.mkdir(parents=True)
    pq.write_table(table, folder / "part-0.parquet")


@pytest.fixture
def workspace(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("whole", [True, False], ids=["with times and prices", "without times and prices"])
def test_training_writes_a_bundle_that_beats_popularity_on_users_with_tastes(workspace, whole):
    data = write_dataset(workspace / "data", 150, times=whole, prices=whole)
    train.main()
    bundle = workspace / "out/recommender/bundle"
    assert {file.name for file in bundle.iterdir()} == {
        "model.onnx",
        "features.json",
        "items.json",
        "tables.safetensors",
    }
    evaluation = evaluate(data, workspace / "out/recommender")
    scores = evaluation["scores"]
    assert scores["ours"]["ndcg@10"] > scores["popularity"]["ndcg@10"]
    assert scores["ceiling"] is None
    # Everybody has 6 products of the training part and 3 of the validation.
    assert evaluation["segments"] == {"activity": {"1 to 9 products (150 users)": scores}}
    assert evaluate(data, bundle) == evaluation


def test_who_has_done_nothing_yet_gets_what_is_popular_lately(workspace):
    data = write_dataset(workspace / "data", 120)
    train.main()
    model = read_model(workspace / "out/recommender")
    dataset = load_dataset(data)
    history = dataset.splits["train"].take(dataset.splits["train"].user > 0)
    tables = build_tables(dataset, history, model.settings)
    scores = Ranker(model.onnx, tables, history, model.settings).scores(np.array([0, 1]))
    assert np.array_equal(scores[0], recent_popularity(tables))
    assert np.isneginf(scores[1]).any()


def test_the_evaluation_reads_no_table_that_knows_the_test_split(workspace):
    data = write_dataset(workspace / "data", 120)
    train.main()
    scores = evaluate(data, workspace / "out/recommender")
    (workspace / "out/recommender/bundle/tables.safetensors").unlink()
    assert evaluate(data, workspace / "out/recommender") == scores


def test_where_the_truth_is_known_of_a_sample_everything_is_evaluated_on_that_sample(workspace, capsys):
    data = write_dataset(workspace / "data", 120)
    train.main()
    test = load_dataset(data).splits["test"]
    mine = test.user < 10
    write(
        data / "truth_preferences",
        pa.table(
            {
                "user_id": [f"u{user:03}" for user in test.user[mine]],
                "product_id": [f"p{item:02}" for item in test.item[mine]],
                "score": pa.array(np.ones(mine.sum()), pa.float32()),
            }
        ),
    )
    scores = evaluate(data, workspace / "out/recommender")["scores"]
    assert scores["ceiling"] == {"ndcg@10": 1.0, "recall@10": 1.0}
    assert "10 of 120" in capsys.readouterr().out


@pytest.mark.parametrize("users", [0, 8])
def test_too_little_data_is_a_reason_and_no_failure(workspace, users):
    if users:
        write_dataset(workspace / "data", users)
    else:
        (workspace / "data").mkdir()
    train.main()
    out = workspace / "out/recommender"
    assert "needed" in json.loads((out / "skipped.json").read_text())["reason"]
    assert not (out / "bundle").exists()


def test_a_model_that_was_not_asked_for_is_skipped(workspace):
    (workspace / "params.yaml").write_text("models: [forecaster]\n")
    train.main()
    assert json.loads((workspace / "out/recommender/skipped.json").read_text())["reason"]


def test_an_unknown_parameter_is_an_error_that_names_it():
    assert read_settings({"half_life_days": 7, "lightgbm": {"num_leaves": 7}}).lightgbm.num_leaves == 7
    assert read_settings(None) == Settings()
    with pytest.raises(ValueError, match=r"recommender\.lightgbm: leaves"):
        read_settings({"lightgbm": {"leaves": 7}})
