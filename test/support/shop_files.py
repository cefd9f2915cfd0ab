"""A generated shop as a stranger's files: `shop_files.py LAKE OUT` writes OUT/events.csv and OUT/sales.csv."""

import sys
from pathlib import Path

import pyarrow.dataset as pads

lake, out = map(Path, sys.argv[1:])
batch = next((lake / "raw").iterdir())
names = {
    "user_id": "Customer ID",
    "product_id": "articleNo",
    "type": "action",
    "occurred_at": "timestamp",
    "quantity": "qty",
}
events = pads.dataset(batch / "events").to_table(columns=list(names)).to_pandas().sort_values("occurred_at")
events = events.rename(columns=names)
events["action"] = events["action"].map({"VIEW": "click", "ADD_TO_CART": "cart", "PURCHASE": "order"})
# Row 2, after the header: no article.
events.iloc[0, events.columns.get_loc("articleNo")] = None
events.to_csv(out / "events.csv", sep=";", index=False, lineterminator="\r\n")
sales = pads.dataset(batch / "sales", partitioning="hive").to_table(
    columns=["date", "product_id", "units", "price"]
)
sales.to_pandas().rename(columns={"product_id": "sku", "units": "sold"}).to_csv(
    out / "sales.csv", index=False
)
