import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from common.drift import psi, reference

from recommender import train
from recommender.drift import sample
from recommender.features import FEATURES
from recommender.test_train import write_dataset


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A workspace after the train stage."""
    workspace = tmp_path_factory.mktemp("workspace")
    write_dataset(workspace / "data", 240)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workspace)
        train.main()
    return workspace


def test_the_training_data_themselves_have_not_moved(trained):
    then = sample(trained / "out/recommender/bundle", trained / "data")
    assert set(then.columns) == {*FEATURES, "prediction"}
    values = psi(reference(then), then)
    assert max(values.values()) == pytest.approx(0, abs=1e-9)


def test_what_users_do_otherwise_shows_in_features_and_products_unknown_to_the_model_do_no_harm(
    trained, tmp_path
):
    bundle = trained / "out/recommender/bundle"
    then = reference(sample(bundle, trained / "data"))
    data = tmp_path / "data"
    shutil.copytree(trained / "data", data)
    file = data / "interactions/part-0.parquet"
    table = pq.read_table(file)
    user = np.array([int(name[1:]) for name in table["user_id"].to_pylist()])
    # Half of what was done is gone, and some of the rest is with products that the model has never heard of.
    rows = table.filter(np.arange(len(table)) % 2 == 0).to_pylist()
    rows = [
        row | ({"product_id": "a new one"} if number % 7 == 0 else {}) | {"weight": 3.0}
        for number, row in enumerate(rows)
    ]
    pq.write_table(table.schema.empty_table().from_pylist(rows, schema=table.schema), file)
    values = psi(then, sample(bundle, data))
    assert len(np.unique(user)) == 240
    assert max(values.values()) > 0.2
    assert all(np.isfinite(value) for value in values.values())
    json.dumps(values, allow_nan=False)


def test_data_without_times_are_looked_at_whole_and_too_few_users_not_at_all(trained, tmp_path):
    bundle = trained / "out/recommender/bundle"
    assert sample(bundle, write_dataset(tmp_path / "timeless", 220, times=False)) is not None
    assert sample(bundle, write_dataset(tmp_path / "few", 120)) is None
