"""What conversations are about, how they end, and what the reference says of each.

A reference has four fields: `issue` (a label of `ISSUES`, so that recurring problems can be counted), `summary` (one sentence
on the customer's concern), `resolution` (one sentence on how it ended) and `resolved`.

Templates: `{slot}` is an entity; `[...]` is dropped where one of its slots is not known. `{who}` is the customer's name or
"the customer", `{what}` the product or "the item".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Issue:
    """`label`: what the key issue is called. `sentence`: the summary. `endings`: resolutions that make sense for it."""

    label: str
    sentence: str
    endings: tuple[str, ...]


@dataclass(frozen=True)
class Resolution:
    sentence: str
    resolved: bool


# Left open in the same ways, whatever it is about.
OPEN = ("escalated", "callback", "customer-left", "waiting", "refused")
_MONEY = ("partial-refund", "voucher", "offer-declined")

ISSUES: Mapping[str, Issue] = {
    "late-delivery": Issue(
        "Late delivery",
        "{who} is still waiting for {what}[ from order {order}].",
        (
            "located",
            "replacement",
            "refund",
            "voucher",
            "cancelled",
            "investigation",
            "offer-declined",
            *OPEN,
        ),
    ),
    "lost-parcel": Issue(
        "Parcel marked delivered but not received",
        "{who} did not receive {what}[ from order {order}], which is marked as delivered.",
        ("located", "replacement", "refund", "investigation", *OPEN),
    ),
    "damaged": Issue(
        "Item arrived damaged",
        "{who} reports that {what}[ from order {order}] arrived damaged.",
        ("replacement", "refund", "return-label", "investigation", "part-sent", *_MONEY, *OPEN),
    ),
    "wrong-item": Issue(
        "Wrong item received",
        "{who} received the wrong item[, {product2},] instead of {what}[ in order {order}].",
        ("replacement", "refund", "return-label", "investigation", *_MONEY, *OPEN),
    ),
    "missing-item": Issue(
        "Item or part missing",
        "{who} found that something is missing with {what}[ in order {order}].",
        ("part-sent", "replacement", "refund", "investigation", *_MONEY, *OPEN),
    ),
    "defective": Issue(
        "Faulty item",
        "{who} reports that {what}[ from order {order}] is faulty.",
        ("fixed", "replacement", "refund", "return-label", "part-sent", "no-fix", *_MONEY, *OPEN),
    ),
    "refund-missing": Issue(
        "Refund not received",
        "{who} has not received the refund[ of {amount}] for {what}[ from order {order}].",
        ("refund", "voucher", "investigation", *OPEN),
    ),
    "return": Issue(
        "Return request",
        "{who} wants to return {what}[ from order {order}].",
        ("return-label", "refund", *_MONEY, *OPEN),
    ),
    "exchange": Issue(
        "Exchange request",
        "{who} wants to exchange {what}[ from order {order}].",
        ("exchange-arranged", "return-label", "offer-declined", *OPEN),
    ),
    "cancel": Issue(
        "Cancellation request",
        "{who} wants to cancel the order[ {order}][ of {product}].",
        ("cancelled", "refund", "return-label", *OPEN),
    ),
    "address": Issue(
        "Change of delivery address",
        "{who} wants the order[ {order}][ of {product}] delivered to another address[, {address}].",
        ("address-changed", "cancelled", *OPEN),
    ),
    "overcharged": Issue(
        "Charged too much",
        "{who} was charged too much for {what}[ from order {order}].",
        ("charge-reversed", "refund", "partial-refund", "voucher", "investigation", "offer-declined", *OPEN),
    ),
    "payment-failed": Issue(
        "Payment declined",
        "{who} cannot pay for {what}[ from order {order}].",
        ("fixed", "no-fix", "information", "investigation", *OPEN),
    ),
    "discount": Issue(
        "Discount not working",
        "{who} cannot use the discount[ {code}] for {what}[ from order {order}].",
        ("discount-applied", "fixed", "partial-refund", "voucher", "no-fix", "offer-declined", *OPEN),
    ),
    "sign-in": Issue(
        "Cannot sign in",
        "{who} cannot sign in to the account.",
        ("reset", "fixed", "no-fix", "information", *OPEN),
    ),
    "product-question": Issue(
        "Question about a product", "{who} has a question about {what}.", ("information", *OPEN)
    ),
    "stock": Issue(
        "Item out of stock",
        "{who} asks when {what} will be back in stock.",
        ("stock-alert", "information", *OPEN),
    ),
    "invoice": Issue(
        "Invoice request",
        "{who} needs an invoice for {what}[ from order {order}].",
        ("invoice-sent", "information", *OPEN),
    ),
    "customs": Issue(
        "Customs fees",
        "{who} is asked to pay customs fees for {what}[ from order {order}].",
        ("fees-covered", "information", "refund", "voucher", "investigation", "offer-declined", *OPEN),
    ),
    "points": Issue(
        "Loyalty points missing",
        "{who} is missing loyalty points[ for order {order}].",
        ("points-added", "information", "voucher", "investigation", *OPEN),
    ),
    "account": Issue(
        "Account or data request",
        "{who} wants the account or personal data changed or deleted.",
        ("account-closed", "information", *OPEN),
    ),
    "other": Issue("Other request", "{who} has a general request.", ("information", *OPEN)),
}

_WHEN = "[, due {due}][, within {days} days]"

RESOLUTIONS: Mapping[str, Resolution] = {
    "replacement": Resolution("A replacement is being sent" + _WHEN + ".", True),
    "refund": Resolution("A refund[ of {amount}] was issued" + _WHEN + ".", True),
    "partial-refund": Resolution("A partial refund[ of {amount}] was agreed" + _WHEN + ".", True),
    "voucher": Resolution("A voucher[ of {amount}][, {code},] was given.", True),
    "return-label": Resolution("A return was set up and the label sent[ to {email}]" + _WHEN + ".", True),
    "located": Resolution("The parcel was located and is on its way" + _WHEN + ".", True),
    "cancelled": Resolution("The order was cancelled" + _WHEN + ".", True),
    "address-changed": Resolution("The delivery address was changed[ to {address}].", True),
    "reset": Resolution("Access was restored or a reset link sent[ to {email}].", True),
    "information": Resolution("The agent answered the question.", True),
    "fixed": Resolution("The agent explained how to solve it and it works now.", True),
    "discount-applied": Resolution("The discount[ of {amount}] was applied by hand" + _WHEN + ".", True),
    "charge-reversed": Resolution("The wrong charge[ of {amount}] was reversed" + _WHEN + ".", True),
    "stock-alert": Resolution("The item is reserved or an alert was set" + _WHEN + ".", True),
    "exchange-arranged": Resolution(
        "An exchange[ for {product2}][ in size {size}] was arranged" + _WHEN + ".", True
    ),
    "invoice-sent": Resolution("The invoice was sent[ to {email}].", True),
    "points-added": Resolution("The points were added.", True),
    "account-closed": Resolution("The account or data request was carried out.", True),
    "part-sent": Resolution("The missing part is being sent" + _WHEN + ".", True),
    "fees-covered": Resolution("The shop covers the customs fees[ of {amount}]" + _WHEN + ".", True),
    "escalated": Resolution(
        "The case[ {ticket}] was passed on to another team, with an answer still due" + _WHEN + ".", False
    ),
    "investigation": Resolution(
        "An investigation[ {ticket}] was opened and is still running" + _WHEN + ".", False
    ),
    "refused": Resolution("The request was refused.", False),
    "waiting": Resolution(
        "The agent waits for documents or photos from the customer[, to be sent to {email}].", False
    ),
    "callback": Resolution("The customer will be contacted later[ on {phone}]" + _WHEN + ".", False),
    "customer-left": Resolution("The customer left before it was settled.", False),
    "offer-declined": Resolution("The customer declined the offer[ of {amount}].", False),
    "no-fix": Resolution("The suggested steps did not help.", False),
    # A conversation that stops before anything was done, and what precedes a later part of a long one.
    "none": Resolution("Nothing has been settled yet.", False),
}

# Slot of a template → the family of its entities (entities.json).
SLOTS: Mapping[str, str] = {
    **dict.fromkeys(("name", "product", "product2"), "NAME"),
    **dict.fromkeys(("order", "ticket", "code"), "CODE"),
    **dict.fromkeys(("days", "size"), "NUMBER"),
    "amount": "AMOUNT",
    "due": "DATE",
    "email": "EMAIL",
    "phone": "PHONE",
    "address": "ADDRESS",
}

NO_REQUEST = "No clear request"
NO_REQUEST_SENTENCE = "{who} made no clear request."

_OPTIONAL = re.compile(r"\[([^\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")


def fill(template: str, entities: Mapping[str, str]) -> str:
    """The template with its entities; optional parts go where an entity is not known."""

    def keep(match: re.Match[str]) -> str:
        return match[1] if all(slot in entities for slot in _SLOT.findall(match[1])) else ""

    return _SLOT.sub(lambda match: entities[match[1]], _OPTIONAL.sub(keep, template))


def summary_words() -> list[str]:
    """Words that summaries are made of, whatever they are about; all others must come from the conversation."""
    texts = [issue.sentence for issue in ISSUES.values()] + [r.sentence for r in RESOLUTIONS.values()]
    texts += ["the customer", "the item", NO_REQUEST_SENTENCE]
    return sorted({word for text in texts for word in re.findall(r"[a-z]+", _SLOT.sub(" ", text).lower())})
