import numpy as np
import pytest
from common.protocol import JobError

from recommender.data import SPLITS
from recommender.golden import small_dataset
from recommender.metrics import pair_keys
from recommender.protocols import resplit


@pytest.fixture(scope="module")
def dataset():
    return small_dataset()


def keys(dataset, *names):
    return np.sort(np.concatenate([pair_keys(dataset.splits[name]) for name in names]))


@pytest.mark.parametrize("share", [0.25, 0.2])
def test_at_random_takes_the_share_of_each_user_s_products_and_every_pair_is_in_one_part(dataset, share):
    split = resplit(dataset, f"random:{share}", 1)
    assert np.array_equal(keys(split, *SPLITS), pair_keys(dataset.merged(*SPLITS)))
    whole, test = dataset.merged(*SPLITS), split.splits["test"]
    assert np.array_equal(np.diff(test.indptr), np.rint(share * np.diff(whole.indptr)))
    again, other = resplit(dataset, f"random:{share}", 1), resplit(dataset, f"random:{share}", 2)
    assert np.array_equal(keys(split, "test"), keys(again, "test"))
    assert not np.array_equal(keys(split, "test"), keys(other, "test"))


def test_leaving_the_last_out_tests_on_nothing_that_is_older_than_what_was_learned(dataset):
    timed = {
        name: part.take(~np.isnan(part.day) & (part.user < 100)) for name, part in dataset.splits.items()
    }
    whole = type(dataset)(dataset.users, dataset.items, timed)
    split = resplit(whole, "last", 1).splits
    assert np.diff(split["test"].indptr).max() == 1
    for user in np.unique(split["test"].user):
        days = {name: split[name].day[split[name].user == user] for name in SPLITS}
        assert days["train"].max() <= days["valid"].min() <= days["test"].min()


def test_by_time_is_the_split_of_the_dataset(dataset):
    assert resplit(dataset, "time", 1) is dataset


@pytest.mark.parametrize("protocol", ["first", "random:2", "random:x", "last"])
def test_what_cannot_be_done_is_said(dataset, protocol):
    # Some interactions of this dataset have no time.
    with pytest.raises(JobError):
        resplit(dataset, protocol, 1)
