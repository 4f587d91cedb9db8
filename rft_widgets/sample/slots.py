"""Values for the templates of one question: products, an order with its dates, a piece of stock."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from rft_widgets.sample.knowledge import (
    CARRIERS,
    CATALOGUE,
    POLICIES,
    PRODUCTS,
    Order,
    Product,
    day,
    iso_day,
    make_order,
)
from rft_widgets.sample.phrasing import Intent


class Case(NamedTuple):
    """One question's particulars: template values, the right tool call, and the tool's answer."""

    slots: dict[str, str]
    order: Order | None
    arguments: dict[str, str]
    result: dict[str, Any]


def make_case(rng: random.Random, intent: Intent, at: datetime, *, named: bool = True) -> Case:
    """Make up the particulars of a question.

    Parameters
    ----------
    rng, intent, at
        Source of chance, what is asked, and when.
    named
        Whether the customer gives the number of the order.
    """
    slots = dict(POLICIES)
    _add_product(rng, intent, slots)
    order = make_order(rng, rng.choice(intent.statuses), at) if intent.statuses else None
    if order is not None:
        _add_order(rng, order, slots, named=named)
    arguments: dict[str, str] = {}
    result: dict[str, Any] = {}
    match intent.tool:
        case "lookup_order" if order is not None:
            arguments = {"order_id": order.id}
            result = order.to_result()
        case "start_return" if order is not None:
            number = rng.randint(20000, 89999)
            slots["return_id"] = f"RT-{number}"
            slots["wrong_return_id"] = f"RT-{number - rng.randint(100, 9000)}"
            slots["reason"] = rng.choice(REASONS)
            arguments = {
                "order_id": order.id, "item": slots["item"], "reason": slots["reason"],
            }  # fmt: skip
            result = {
                "return_id": slots["return_id"],
                "item": slots["item"],
                "fee": POLICIES["return_fee"],
                "label": "sent by mail",
            }
        case "check_stock":
            arguments = {"product": slots["sized"], "size": slots["size"]}
            result = _stock(rng, intent, at, slots)
        case _:
            pass
    slots["wrong_date"] = _wrong_date(rng, order.eta if order else at, slots)
    return Case(slots, order, arguments, result)


REASONS = (
    "wrong colour", "too big for me", "changed my mind", "not what I expected", "bought it twice",
    "found a cheaper one", "it was a present and not needed", "heavier than I thought",
    "the trip was cancelled",
)  # fmt: skip

COUNTRIES = (
    "France", "Austria", "Sweden", "Switzerland", "Italy", "Poland", "Norway", "Spain", "Ireland",
    "Germany", "Denmark", "Belgium", "Portugal", "Finland", "the UK", "Slovenia",
)  # fmt: skip
_FAR = ("Japan", "New Zealand", "Brazil", "South Africa", "South Korea", "Chile", "the US")
_COMFORTS = ("3 °C", "-5 °C", "7 °C", "-16 °C")
_BY_NAME = {product.name: product for product in CATALOGUE}
_CLOTHES = tuple(product for product in PRODUCTS if product.kind in ("jacket", "base layer"))


def _add_product(rng: random.Random, intent: Intent, slots: dict[str, str]) -> None:
    product = _BY_NAME[rng.choice(intent.products)] if intent.products else rng.choice(PRODUCTS)
    sized = rng.choice(_CLOTHES)
    slots |= {
        **product.facts,
        "product": product.name,
        "a_product": _with_article(product),
        "sized": sized.name,
        "a_sized": _with_article(sized),
        "size": rng.choice(sized.sizes),
        "country": rng.choice(COUNTRIES),
        "far": rng.choice(_FAR),
        "shoe": f"EU {rng.randint(37, 46)}",
        "height": f"{rng.randint(158, 194)} cm",
        "wrong_temperature": rng.choice(_COMFORTS),
    }


def _add_order(rng: random.Random, order: Order, slots: dict[str, str], *, named: bool) -> None:
    if named:
        my_order = rng.choice((f"order {order.id}", f"my order {order.id}", order.id))
    else:
        my_order = "my order"
    slots |= {
        "order": order.id,
        "my_order": my_order,
        "My_order": my_order[0].upper() + my_order[1:],
        "item": order.items[0].name,
        "missing": order.items[-1].name,
        "eta": day(order.eta),
        "ship_by": day(order.ship_by),
        "shipped": day(order.shipped) if order.shipped else "",
        "carrier": order.carrier,
        "wrong_carrier": rng.choice([name for name in CARRIERS if name != order.carrier]),
        "tracking": order.tracking,
        "delay_reason": order.delay_reason,
    }


def _stock(
    rng: random.Random, intent: Intent, at: datetime, slots: dict[str, str]
) -> dict[str, Any]:
    pieces = rng.randint(2, 29)
    slots["pieces"] = str(pieces)
    # A wrong number must not end like the right one, or it would hold it.
    slots["wrong_pieces"] = str(pieces + 10 * rng.randint(3, 15) + rng.randint(1, 9))
    restock = at + timedelta(days=rng.randint(5, 30))
    slots["restock"] = day(restock)
    result: dict[str, Any] = {"product": slots["sized"], "size": slots["size"]}
    if intent.stock == "sold_out":
        return result | {"in_stock": 0, "next_delivery": iso_day(restock)}
    return result | {"in_stock": pieces}


def _wrong_date(rng: random.Random, near: datetime, slots: dict[str, str]) -> str:
    right = [slots[key] for key in ("eta", "ship_by", "restock") if key in slots]
    later = [day(near + timedelta(days=days)) for days in range(8, 18)]
    # "22 June" is no wrong date where "2 June" is the right one: it holds it.
    return rng.choice([date for date in later if not any(each in date for each in right)])


def _with_article(product: Product) -> str:
    return f"{product.article} {product.name}"
