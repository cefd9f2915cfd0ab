"""Trains and scores the recommender under a protocol of the literature: `npm run evaluate -- --protocol random:0.25`.

    time         as the dataset is split: where times are known, the last days are the test
    random:S     of each user's products a share S, drawn at random, is the test, and of the rest as much the validation
    last         each user's last product is the test, and the one before it the validation; needs times

What it trains is judged and thrown away; the models in production stay what they are.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml
from common.evaluate import report
from common.protocol import JobError, progress, run_job

from recommender.bundle import read_model
from recommender.data import SPLITS, Dataset, Interactions, load_dataset
from recommender.evaluate import judge
from recommender.settings import read_settings
from recommender.train import Skipped, train

DATA = Path("data")


def resplit(dataset: Dataset, protocol: str, seed: int) -> Dataset:
    """The same interactions, split as `protocol` says. @raises JobError INVALID_INPUT"""
    name, _, share = protocol.partition(":")
    if protocol == "time":
        return dataset
    rows = dataset.merged(*SPLITS)
    if name == "random":
        return replace(dataset, splits=_at_random(rows, _share(share), np.random.default_rng(seed)))
    if protocol != "last":
        raise JobError("INVALID_INPUT", "A protocol is time, random:0.25 (a share) or last.")
    if np.isnan(rows.day).any():
        raise JobError("INVALID_INPUT", "The protocol last needs the time of every interaction.")
    return replace(dataset, splits=_last_out(rows))


def _share(text: str) -> float:
    try:
        share = float(text or 0.2)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise JobError("INVALID_INPUT", "The share of the test must be between 0 and 1, as in random:0.25.")
    return share


def _at_random(rows: Interactions, share: float, rng: np.random.Generator) -> dict[str, Interactions]:
    count = np.diff(rows.indptr)
    test = np.rint(count * share)
    valid = np.rint((count - test) * share)
    order = np.lexsort((rng.random(len(rows)), rows.user))
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = np.arange(len(rows)) - rows.indptr[rows.user[order]]
    return _parts(rows, place < test[rows.user], place < (test + valid)[rows.user])


def _last_out(rows: Interactions) -> dict[str, Interactions]:
    order = rows.newest_first()
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = np.arange(len(rows)) - rows.indptr[rows.user[order]]
    # Of whoever has but one or two there would be nothing left to learn from.
    enough = (np.diff(rows.indptr) > 2)[rows.user]
    return _parts(rows, enough & (place < 1), enough & (place < 2))


def _parts(rows: Interactions, test: np.ndarray, held_out: np.ndarray) -> dict[str, Interactions]:
    return {"train": rows.take(~held_out), "valid": rows.take(held_out & ~test), "test": rows.take(test)}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--protocol", required=True, help="time, random:SHARE or last")
    options = arguments.parse_args()
    if not (DATA / "manifest.json").exists():
        raise JobError("NOT_TRAINED", "There is nothing to evaluate yet: run the training first.")
    parameters = yaml.safe_load(Path("params.yaml").read_text())
    seed = int(parameters["seed"])
    whole = load_dataset(DATA)
    dataset = resplit(whole, options.protocol, seed)
    with tempfile.TemporaryDirectory() as folder:
        try:
            train(dataset, Path(folder), read_settings(parameters["recommender"]), seed)
        except Skipped as reason:
            raise JobError("TOO_LITTLE_DATA", str(reason)) from reason
        progress(0.9, "evaluate")
        judged = judge(dataset, read_model(Path(folder)), None, seed)
    version = f"{whole.manifest['dataVersion']}, split by {options.protocol}"
    print(report({"dataVersion": version, "models": {"recommender": judged}}))


if __name__ == "__main__":
    run_job(main)
