"""The files of a recommender version.

    model.onnx           input `features` float32 [rows, features]; first output float32 [rows, 1], the score
    features.json        {version, meanWeight, settings, features: [{name, description}]} in the model's order
    items.json           {ids, categories}: an item's and a category's number is its place
    tables.safetensors   item_features f32 [items, ITEM_FEATURES], category i32 (-1: none), log_price f32
                         (NaN: unknown), factors f32 [items, dimensions], factor_gram f32
                         [dimensions, dimensions], and four sparse matrices in CSR,
                         each as <name>.indptr i32, <name>.indices i32, <name>.values f32:
                         knn, ease, bought (row = item of the history, column = item scored),
                         tokens (row = item)

Tables are built from all splits: they are for serving. An evaluation takes the model and the settings from a
bundle and builds its own tables without the test split.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from recommender import safetensors
from recommender.data import Items
from recommender.features import FEATURES, VERSION
from recommender.settings import Settings, read_settings
from recommender.tables import Tables

_SPARSE = ("knn", "ease", "bought", "tokens")
_DENSE = ("item_features", "category", "log_price", "factors", "factor_gram")


@dataclass(frozen=True)
class Model:
    onnx: bytes
    settings: Settings


def write_bundle(folder: Path, onnx: bytes, tables: Tables, items: Items, settings: Settings) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(onnx)
    features = {
        "version": VERSION,
        "meanWeight": tables.mean_weight,
        "settings": asdict(settings),
        "features": [{"name": name, "description": text} for name, text in FEATURES.items()],
    }
    (folder / "features.json").write_text(json.dumps(features, indent=1, ensure_ascii=False) + "\n")
    (folder / "items.json").write_text(
        json.dumps({"ids": items.ids, "categories": items.categories}, ensure_ascii=False) + "\n"
    )
    arrays = {name: getattr(tables, name) for name in _DENSE}
    for name in _SPARSE:
        matrix: sp.csr_matrix = getattr(tables, name)
        arrays[f"{name}.indptr"] = matrix.indptr.astype(np.int32)
        arrays[f"{name}.indices"] = matrix.indices.astype(np.int32)
        arrays[f"{name}.values"] = matrix.data.astype(np.float32)
    (folder / "tables.safetensors").write_bytes(safetensors.pack(arrays))


def read_model(folder: Path) -> Model:
    """What an evaluation needs of a bundle. `folder` is a bundle, or an output folder that holds one.

    @raises ValueError when the bundle was made with another definition of the features.
    """
    bundle = folder / "bundle" if (folder / "bundle").is_dir() else folder
    description = json.loads((bundle / "features.json").read_text())
    names = [feature["name"] for feature in description["features"]]
    if description["version"] != VERSION or names != list(FEATURES):
        raise ValueError("the bundle was made with another version of the features")
    return Model((bundle / "model.onnx").read_bytes(), read_settings(description["settings"]))


def read_tables(bundle: Path) -> Tables:
    """The serving tables of a bundle."""
    arrays = safetensors.unpack((bundle / "tables.safetensors").read_bytes())
    items = len(arrays["category"])

    def sparse(name: str) -> sp.csr_matrix:
        parts = (arrays[f"{name}.values"], arrays[f"{name}.indices"], arrays[f"{name}.indptr"])
        columns = int(parts[1].max(initial=-1)) + 1 if name == "tokens" else items
        return sp.csr_matrix(parts, shape=(items, columns))

    return Tables(
        **{name: arrays[name] for name in _DENSE},
        **{name: sparse(name) for name in _SPARSE},
        mean_weight=json.loads((bundle / "features.json").read_text())["meanWeight"],
    )
