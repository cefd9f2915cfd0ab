"""Which column of a stranger's file means what.

Names are compared without case, spaces and punctuation: `User ID`, `user_id` and `userId` are one name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from common.protocol import JobError

_USER = (
    "userid user customerid customer clientid client memberid member visitorid visitor reviewerid reviewer accountid "
    "account buyerid buyer shopperid shopper personid uid custid customerno customernumber householdkey"
)
_PRODUCT = (
    "productid product itemid item sku productcode stockcode articleid article artistid movieid bookid isbn asin trackid "
    "songid gameid showid animeid recipeid businessid parentasin productno productnumber articleno articlenumber itemcode itemno pid iid upc ean"
)
_TIME = (
    "occurredat timestamp ts time datetime date eventtime eventdate eventtimestamp createdat created invoicedate orderdate "
    "transactiondate purchasedate saledate datum unixtime unixtimestamp reviewtime unixreviewtime day"
)
_QUANTITY = (
    "quantity qty weight count rating plays playcount listens units score stars hours number freq frequency"
)
_STORE = "store storeid storenbr storeno storenumber storecode outlet outletid branch branchid location locationid shop shopid"
_PRICE = "price unitprice saleprice sellprice sellingprice itemprice listprice"

# Roles of each table's columns in the order in which they claim a column; for each, the names by preference.
ALIASES: dict[str, dict[str, list[str]]] = {
    "events": {
        "event_id": ["eventid", "clienteventid", "interactionid"],
        "user_id": _USER.split(),
        "product_id": _PRODUCT.split(),
        "type": [
            "type",
            "eventtype",
            "event",
            "action",
            "behavior",
            "behaviour",
            "behaviortype",
            "interaction",
            "interactiontype",
            "activity",
        ],
        "occurred_at": _TIME.split(),
        "quantity": _QUANTITY.split(),
        "price": _PRICE.split(),
    },
    "sales": {
        # A store's sales may be of departments or product families, not of products.
        "product_id": (_PRODUCT + " dept deptid department departmentid family familyid").split(),
        "store_id": _STORE.split(),
        "date": ("date week weekstart weekstartdate salesdate " + _TIME).split(),
        "units": (
            "units unitssold unitsold numsold unitsales quantity qty sold weeklysales dailysales sales volume demand count "
            + _QUANTITY
        ).split(),
        "price": _PRICE.split(),
        # A holiday lifts sales for a few periods as a promotion does.
        "promotion": [
            "promotion",
            "promo",
            "onpromotion",
            "onpromo",
            "ispromo",
            "onsale",
            "discounted",
            "isholiday",
            "holiday",
            "holidayflag",
        ],
        "in_stock": ["instock", "available", "availability", "isavailable"],
    },
    "products": {
        "id": ("id " + _PRODUCT + " code").split(),
        "name": [
            "name",
            "title",
            "productname",
            "itemname",
            "producttitle",
            "artist",
            "artistname",
            "movietitle",
            "label",
        ],
        "sku": ["sku", "stockcode", "productcode"],
        "description": [
            "description",
            "desc",
            "details",
            "summary",
            "about",
            "text",
            "productdescription",
            "longdescription",
        ],
        "price": _PRICE.split(),
        "currency": ["currency", "currencycode", "pricecurrency"],
        "category": [
            "category",
            "categoryname",
            "categories",
            "genre",
            "genres",
            "maincategory",
            "department",
            "producttype",
            "categoryid",
        ],
        "stock": ["stock", "inventory", "onhand", "stockquantity", "quantity", "stocklevel"],
        "image_url": ["imageurl", "image", "picture", "pictureurl", "imagelink", "img", "thumbnail"],
        "created_at": ["createdat", "created", "launchdate", "releasedate", "dateadded", "launched"],
    },
    "users": {
        "id": ("id " + _USER).split(),
        "name": ["name", "fullname", "username", "displayname", "customername", "nickname"],
    },
}
# Ids of what is neither a user nor a product.
_NOT_A_PRODUCT = {
    "id",
    "sessionid",
    "orderid",
    "transactionid",
    "invoiceid",
    "cartid",
    "categoryid",
    "storeid",
}
NEEDED = {
    "events": ("user_id", "product_id"),
    "sales": ("product_id", "date", "units"),
    "products": ("id",),
    "users": ("id",),
}


def normal(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


@dataclass
class Roles:
    """columns: role -> the file's column. wide: for a table with one column per period, (column, periods from the
    first) in order. notes: what a person should know about the choice."""

    columns: dict[str, str]
    wide: list[tuple[str, int]] = field(default_factory=list)
    wide_days: int = 7
    notes: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)


def recognise(table: str, found: list[str], given: dict[str, str], file: str) -> Roles:
    """Finds the roles among the columns `found`. `given` (role -> column) wins over guesses.

    Raises IMPORT_COLUMNS, saying which columns were found and which are needed.
    """
    columns: dict[str, str] = {}
    taken: set[str] = set()
    by_name = {normal(name): name for name in reversed(found)}
    for role, source in given.items():
        if role not in ALIASES[table]:
            continue
        name = source if source in found else by_name.get(normal(source))
        if name is None:
            raise JobError("IMPORT_COLUMNS", f"{file} has no column {source}; found: {_listed(found)}.")
        columns[role] = name
        taken.add(name)
    for role, aliases in ALIASES[table].items():
        if role in columns:
            continue
        for alias in aliases:
            name = by_name.get(alias)
            if name is not None and name not in taken:
                columns[role] = name
                taken.add(name)
                break
    roles = Roles(columns)
    if table == "events" and "user_id" in columns and "product_id" not in columns:
        others = [
            name
            for name in found
            if name not in taken and normal(name).endswith("id") and normal(name) not in _NOT_A_PRODUCT
        ]
        if others:
            columns["product_id"] = others[0]
            taken.add(others[0])
            roles.notes.append(f"took column {others[0]} as the product")
    if table == "sales" and "product_id" in columns and "date" not in columns:
        _find_periods(found, roles)
        taken |= {name for name, _ in roles.wide}
    needed = [role for role in NEEDED[table] if role not in columns]
    if roles.wide:
        needed = []
    if needed:
        raise JobError(
            "IMPORT_COLUMNS",
            f"{file} lacks a column for {' and '.join(needed)}; found: {_listed(found)}. "
            f"Name it with --column {needed[0]}=COLUMN.",
        )
    roles.rest = [name for name in found if name not in taken]
    return roles


def _find_periods(found: list[str], roles: Roles) -> None:
    """A column per week (W0, W1, ...) or per day (d_1, d_2, ...)."""
    for pattern, days in ((r"w(?:eek)?_?(\d+)", 7), (r"d(?:ay)?_?(\d+)", 1)):
        numbered = []
        for name in found:
            match = re.fullmatch(pattern, name.strip().lower())
            if match:
                numbered.append((int(match.group(1)), name))
        if len(numbered) >= 2:
            numbered.sort()
            roles.wide = [(name, number - numbered[0][0]) for number, name in numbered]
            roles.wide_days = days
            period = "week" if days == 7 else "day"
            roles.notes.append(f"one column per {period}, {numbered[0][1]} to {numbered[-1][1]}")
            return


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:12])
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "")
