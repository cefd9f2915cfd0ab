"""Train stage: data/ → out/recommender/ with the bundle, or skipped.json where there is too little data."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import yaml
from common.probe import write_probe
from common.protocol import log, progress, run_job

from recommender.bundle import write_bundle
from recommender.data import SPLITS, Dataset, load_dataset
from recommender.export import to_onnx
from recommender.metrics import relevant_unseen
from recommender.ranker import fit, training_rows
from recommender.settings import Settings, read_settings
from recommender.tables import build_tables
from recommender.tuning import tune_als, tune_ease, tune_knn

DATA = Path("data")
OUT = Path("out/recommender")
PARITY_ROWS = 20_000


class Skipped(Exception):
    """Why there is no model; a sentence for a person."""


def train(dataset: Dataset, out: Path, settings: Settings, seed: int) -> dict[str, object]:
    """Writes `out`/bundle and `out`/training.json; returns what training.json holds. @raises Skipped"""
    users = _training_users(dataset, settings, seed)

    progress(0.1, "tune the similarities")
    settings = replace(settings, knn=tune_knn(dataset, seed), als=tune_als(dataset, seed))
    if len(dataset.items) <= settings.ease_most_items:
        settings = replace(settings, ease=tune_ease(dataset, seed))

    progress(0.4, "compute features")
    features, labels, groups, before = training_rows(dataset, settings, users)
    if labels.sum() < settings.least_labels:
        raise Skipped(f"Only {labels.sum()} new items of the validation window were candidates.")
    log(f"{len(groups)} users, {len(labels)} candidates, {labels.sum()} of them relevant")

    progress(0.5, "train the ranker")
    ranking, info = fit(features, labels, groups, settings, seed)
    gain = ranking.trees.feature_importance("gain")
    names = ranking.trees.feature_name()

    progress(0.85, "export")
    onnx = to_onnx(ranking.trees, ranking.base, features[:PARITY_ROWS])
    tables = build_tables(dataset, dataset.merged(*SPLITS), settings, before)
    write_bundle(out / "bundle", onnx, tables, dataset.items, settings)
    write_probe(out, "model.onnx", features, ranking.predict(features[:PARITY_ROWS]))
    summary = {
        **info,
        "users": len(groups),
        "candidates": len(labels),
        "knn": asdict(settings.knn),
        "als": asdict(settings.als),
        "ease": settings.ease and asdict(settings.ease),
        "gain": {
            name: round(float(value / max(gain.sum(), 1e-12)), 4)
            for name, value in zip(names, gain, strict=True)
        },
    }
    (out / "training.json").write_text(json.dumps(summary, indent=1) + "\n")
    return summary


def _training_users(dataset: Dataset, settings: Settings, seed: int) -> np.ndarray:
    """A sample of the users who have both a history and something new in the validation window, ascending."""
    train_part, valid = dataset.splits["train"], dataset.splits["valid"]
    users = np.intersect1d(np.unique(valid.user), np.unique(train_part.user))
    users = users[relevant_unseen(train_part, valid, users) > 0] if len(users) else users
    if len(users) < settings.least_users:
        raise Skipped(
            f"Only {len(users)} users have a history and later something new; {settings.least_users} needed."
        )
    most = min(settings.training_users, settings.training_scores // max(len(dataset.items), 1))
    if len(users) > most:
        users = np.random.default_rng(seed).choice(users, most, replace=False)
    return np.sort(users)


def main() -> None:
    parameters = yaml.safe_load(Path("params.yaml").read_text()) if Path("params.yaml").exists() else {}
    settings = read_settings(parameters.get("recommender"))
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    try:
        if "recommender" not in parameters.get("models", ["recommender"]):
            raise Skipped("Not among the models to train.")
        progress(0.02, "read the dataset")
        train(load_dataset(DATA), OUT, settings, int(parameters.get("seed", 7)))
    except Skipped as reason:
        log(f"skipped: {reason}")
        (OUT / "skipped.json").write_text(json.dumps({"reason": str(reason)}) + "\n")
    progress(1, "recommender trained")


if __name__ == "__main__":
    run_job(main)
