"""Writes the dataset of a large shop, as the preparation would: `python shop.py --out DIR --interactions N --products P`.

Users and products belong to one of TASTES groups; two thirds of what a user looks at is of the own group, and within
a group and in all popularity is heavy-tailed. Only size and shape matter here, not how well it can be predicted.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

TASTES = 40
DAYS = 365
START = 1_760_000_000  # seconds since 1970
TIMES = pa.timestamp("us", tz="UTC")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--interactions", type=int, required=True, help="pairs of user and product")
    arguments.add_argument("--products", type=int, required=True)
    options = arguments.parse_args()
    rng = np.random.default_rng(1)
    users = max(100, options.interactions // 25)
    taste = rng.integers(0, TASTES, options.products)
    user, product = _pairs(rng, users, taste, options.interactions)
    _write(options.out / "interactions", _interactions(rng, users, options.products, user, product))
    _write(options.out / "products", _products(rng, taste))
    (options.out / "manifest.json").write_text(json.dumps({"dataVersion": "0" * 16}) + "\n")


def _pairs(rng: np.random.Generator, users: int, taste: np.ndarray, count: int) -> tuple[np.ndarray, ...]:
    products = len(taste)
    popularity = rng.pareto(1.2, products) + 0.5
    activity = rng.lognormal(0, 1, users)
    own_taste = rng.integers(0, TASTES, users)
    found = np.empty(0, dtype=np.int64)
    while len(found) < count:
        user = rng.choice(users, count, p=activity / activity.sum())
        product = _draw(rng, popularity, count)
        own = rng.random(count) < 2 / 3
        for group in range(TASTES):
            rows = np.flatnonzero(own & (own_taste[user] == group))
            members = np.flatnonzero(taste == group)
            if len(members):
                product[rows] = members[_draw(rng, popularity[members], len(rows))]
        found = np.union1d(found, user * products + product)
    found = rng.permutation(found)[:count]
    return found // products, found % products


def _draw(rng: np.random.Generator, weight: np.ndarray, count: int) -> np.ndarray:
    cumulated = np.cumsum(weight)
    return np.searchsorted(cumulated, rng.random(count) * cumulated[-1]).clip(max=len(weight) - 1)


def _interactions(
    rng: np.random.Generator, users: int, products: int, user: np.ndarray, product: np.ndarray
) -> pa.Table:
    second = rng.integers(0, DAYS * 86_400, len(user))
    day = second // 86_400
    views = 1 + rng.poisson(0.6, len(user))
    bought = (rng.random(len(user)) < 0.1).astype(np.int32)
    at = pa.array((START + second) * 1_000_000, TIMES)
    return pa.table(
        {
            "user_id": pa.array([f"u{number:07}" for number in range(users)]).take(pa.array(user)),
            "product_id": pa.array([f"p{number:06}" for number in range(products)]).take(pa.array(product)),
            "split": np.select([day < DAYS - 56, day < DAYS - 28], ["train", "valid"], "test"),
            "views": pa.array(views, pa.int32()),
            "carts": pa.array(bought),
            "purchases": pa.array(bought),
            "quantity": bought.astype(float),
            "weight": np.log1p(views + 8.0 * bought),
            "first_at": at,
            "last_at": at,
        }
    )


def _products(rng: np.random.Generator, taste: np.ndarray) -> pa.Table:
    count = len(taste)
    created = START + rng.integers(-300, DAYS - 30, count) * 86_400
    pairs = zip(taste % 13, rng.integers(0, 500, count), strict=True)
    return pa.table(
        {
            "product_id": [f"p{number:06}" for number in range(count)],
            "category_id": [f"c{group}" for group in taste],
            "price": rng.lognormal(8, 1, count),
            "created_at": pa.array(created * 1_000_000, TIMES),
            "attributes": pa.array(
                [[("style", f"s{style}"), ("maker", f"m{maker}")] for style, maker in pairs],
                pa.map_(pa.string(), pa.string()),
            ),
        }
    )


def _write(folder: Path, table: pa.Table) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / "part-0.parquet")


if __name__ == "__main__":
    main()
