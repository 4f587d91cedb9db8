"""Reference facts of Larkfell, an invented outdoor-gear shop: products, policies, orders, tools."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from msgspec import Struct

SHOP = "Larkfell"

END = datetime(2026, 6, 1, tzinfo=UTC)
"""The sample traffic ends here, on every machine, whenever it is made."""

DAYS = 30
"""Days of traffic before `END`."""


class Product(Struct, frozen=True, kw_only=True):
    """One product of the catalogue.

    ``facts`` are what an answer may state about it; ``sizes`` is empty for what has one size.
    """

    name: str
    price: str
    kind: str
    article: str = "a"
    sizes: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    facts: dict[str, str] = {}


PRODUCTS: tuple[Product, ...] = (
    Product(
        name="Skarn 2 tent", price="€389", kind="tent", colours=("moss", "rust"),
        facts={"weight": "2.1 kg", "people": "two people", "width": "135 cm", "column": "3,000 mm"},
    ),
    Product(
        name="Skarn 3 tent", price="€469", kind="tent", colours=("moss", "rust"),
        facts={"weight": "2.7 kg", "people": "three people", "width": "180 cm",
               "column": "3,000 mm"},
    ),
    Product(
        name="Boreal 400 sleeping bag", price="€249", kind="sleeping bag",
        sizes=("Regular", "Long"), colours=("slate", "amber"),
        facts={"weight": "1,050 g", "comfort": "-2 °C", "limit": "-8 °C"},
    ),
    Product(
        name="Boreal 700 sleeping bag", price="€349", kind="sleeping bag",
        sizes=("Regular", "Long"), colours=("slate", "amber"),
        facts={"weight": "1,420 g", "comfort": "-11 °C", "limit": "-18 °C"},
    ),
    Product(
        name="Drift Lite sleeping mat", price="€129", kind="mat", sizes=("Regular", "Wide"),
        facts={"weight": "460 g", "r_value": "4.2"},
    ),
    Product(
        name="Drift Summer sleeping mat", price="€79", kind="mat", sizes=("Regular", "Wide"),
        facts={"weight": "370 g", "r_value": "1.9"},
    ),
    Product(
        name="Tor 45 backpack", price="€169", kind="backpack", colours=("ink", "ochre"),
        facts={"weight": "1.35 kg", "trip": "two to three days", "load": "14 kg"},
    ),
    Product(
        name="Tor 65 backpack", price="€219", kind="backpack", colours=("ink", "ochre"),
        facts={"weight": "1.9 kg", "trip": "five days or more", "load": "22 kg"},
    ),
    Product(
        name="Gale shell jacket", price="€279", kind="jacket",
        sizes=("XS", "S", "M", "L", "XL"), colours=("petrol", "black", "coral"),
        facts={"weight": "380 g", "column": "20,000 mm"},
    ),
    Product(
        name="Mistral down jacket", price="€229", kind="jacket",
        sizes=("XS", "S", "M", "L", "XL"), colours=("petrol", "black"),
        facts={"weight": "410 g"},
    ),
    Product(
        name="Heather base layer", price="€79", kind="base layer",
        sizes=("XS", "S", "M", "L", "XL"), colours=("grey", "plum"), facts={"weight": "190 g"},
    ),
    Product(
        name="Ember stove", price="€59", kind="stove", article="an",
        facts={"weight": "88 g", "boil": "3.5 minutes", "cold": "-5 °C"},
    ),
    Product(
        name="Brook water filter", price="€44", kind="filter",
        facts={"weight": "75 g", "pore": "0.1 micron", "life": "2,000 litres"},
    ),
    Product(
        name="Lumen 350 headlamp", price="€49", kind="headlamp",
        facts={"weight": "82 g", "high": "4 hours", "low": "60 hours", "charge": "2.5 hours"},
    ),
)  # fmt: skip

FOOTWEAR: tuple[Product, ...] = (
    Product(
        name="Ridgeway Mid boots", price="€189", kind="boots", article="a pair of",
        sizes=("38", "39", "40", "41", "42", "42.5", "43", "44", "45", "46"),
        colours=("brown", "graphite"),
    ),
    Product(
        name="Ridgeway Low shoes", price="€149", kind="boots", article="a pair of",
        sizes=("37", "38", "39", "40", "41", "42", "43", "44", "45"),
        colours=("olive", "graphite"),
    ),
    Product(
        name="Strider trekking poles", price="€89", kind="poles", article="a pair of",
        facts={"weight": "430 g"},
    ),
)  # fmt: skip
"""What comes in pairs, apart because sentences about it are in the plural."""

CATALOGUE = PRODUCTS + FOOTWEAR

POLICIES: dict[str, str] = {
    "return_window": "30 days",
    "return_fee": "€4.95",
    "refund_time": "5 working days",
    "sale_return_window": "14 days",
    "shipping_fee": "€5.95",
    "free_from": "€75",
    "delivery_eu": "3 to 5 working days",
    "delivery_ch": "4 to 6 working days",
    "express_fee": "€14.90",
    "express_cutoff": "14:00",
    "uk_threshold": "£135",
    "uk_vat": "20%",
    "norway_vat": "25%",
    "locker_weight": "20 kg",
    "cancel_window": "60 minutes",
    "lost_wait": "48 hours",
    "lost_check": "10 working days",
    "first_scan": "24 hours",
    "warranty": "3 years",
    "warranty_electronics": "2 years",
    "claim_address": "repairs@larkfell.example",
    "claim_reply": "3 working days",
    "repair_time": "4 weeks",
    "zip_price": "€18",
    "pole_price": "€12",
    "invoice_change": "14 days",
    "reservation_drop": "7 days",
    "transfer_hold": "5 days",
    "gift_card_life": "3 years",
    "price_adjustment": "14 days",
    "deletion_time": "30 days",
    "invoice_retention": "7 years",
    "reset_link": "60 minutes",
    "newsletter_stop": "48 hours",
    "export_time": "14 days",
    "half_size": "half a size",
    "regular_length": "185 cm",
    "long_length": "200 cm",
}
"""What the shop promises, once; the answers and the facts to check them by take it from here."""

SYSTEM_CHAT = (
    "You are a customer support agent of Larkfell, an online shop for outdoor gear. Answer in "
    "English, friendly and brief: the fact first, then what the customer has to do. Use only "
    "Larkfell's policies and what the tools return. Look an order up before you say anything about "
    "it, and never promise what the policies do not."
)
SYSTEM_MAIL = (
    "You write the replies of Larkfell's support mailbox. Larkfell is an online shop for outdoor "
    "gear. State the policy that applies with its numbers, in at most five sentences, and do not "
    "promise exceptions."
)

ToolName = Literal["lookup_order", "check_stock", "start_return"]


def _tool(name: ToolName, description: str, required: tuple[str, ...], **texts: str) -> Any:
    properties = {key: {"type": "string", "description": text} for key, text in texts.items()}
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


TOOLS: tuple[dict[str, Any], ...] = (
    _tool(
        "lookup_order",
        "Status, items, carrier and dates of an order.",
        ("order_id",),
        order_id="Order number, for example LF-48213",
    ),
    _tool(
        "check_stock",
        "How many pieces of a product are in stock, and when more arrive.",
        ("product",),
        product="Name of the product",
        size="Size, for products that have sizes",
    ),
    _tool(
        "start_return",
        "Register a return and make its label.",
        ("order_id", "item", "reason"),
        order_id="Order number, for example LF-48213",
        item="Name of the item that comes back",
        reason="The customer's reason in a few words",
    ),
)
"""The tools of the support agent, as chat requests offer them."""

REQUIRED_ARGUMENTS: dict[str, tuple[str, ...]] = {
    tool["function"]["name"]: tuple(tool["function"]["parameters"]["required"]) for tool in TOOLS
}

OrderStatus = Literal["processing", "shipped", "delayed", "partly_shipped", "delivered"]

CARRIERS = ("Postroute", "Nordpak", "Swiftline")
DELAYS = (
    "a sorting backlog at the carrier",
    "a breakdown of the delivery truck",
    "a storm on the ferry route",
    "a damaged label that had to be replaced",
)


class Order(Struct, frozen=True, kw_only=True):
    """One order as the order system knows it."""

    id: str
    status: OrderStatus
    items: tuple[Product, ...]
    placed: datetime
    ship_by: datetime
    shipped: datetime | None
    eta: datetime
    carrier: str
    tracking: str
    delay_reason: str

    def to_result(self) -> dict[str, Any]:
        """Answer of ``lookup_order``."""
        result: dict[str, Any] = {
            "order_id": self.id,
            "status": self.status,
            "placed_on": iso_day(self.placed),
            "items": [item.name for item in self.items],
        }
        if self.shipped is None:
            result["ships_by"] = iso_day(self.ship_by)
        else:
            result |= {
                "shipped_on": iso_day(self.shipped),
                "carrier": self.carrier,
                "tracking": self.tracking,
            }
        if self.status == "partly_shipped":
            result["not_yet_shipped"] = [self.items[-1].name]
        if self.status == "delayed":
            result["delay_reason"] = self.delay_reason
        if self.status == "delivered":
            return result | {"delivered_on": iso_day(self.eta)}
        return result | {"estimated_delivery": iso_day(self.eta)}


def make_order(rng: random.Random, status: OrderStatus, at: datetime) -> Order:
    """Make the order a customer asks about at a given moment; dates fit its status."""
    items = rng.sample(PRODUCTS, k=2 if status == "partly_shipped" else rng.choice((1, 1, 2, 3)))
    placed = at - timedelta(days=rng.randint(4, 7))
    ship_by = at + timedelta(days=rng.randint(1, 3))
    shipped = placed + timedelta(days=rng.randint(1, 3))
    eta = at + timedelta(days=rng.randint(1, 4))
    if status == "processing":
        placed = at - timedelta(days=rng.randint(1, 3))
        eta = ship_by + timedelta(days=rng.randint(3, 5))
    elif status in ("delayed", "partly_shipped"):
        eta = at + timedelta(days=rng.randint(4, 9))
    elif status == "delivered":
        placed = at - timedelta(days=rng.randint(12, 24))
        shipped = placed + timedelta(days=2)
        eta = shipped + timedelta(days=rng.randint(3, 5))
    return Order(
        id=f"LF-{rng.randint(40000, 59999)}",
        status=status,
        items=tuple(items),
        placed=placed,
        ship_by=ship_by,
        shipped=None if status == "processing" else shipped,
        eta=eta,
        carrier=rng.choice(CARRIERS),
        tracking=f"{rng.choice('PNS')}{rng.randint(10**9, 10**10 - 1)}",
        delay_reason=rng.choice(DELAYS),
    )


def day(moment: datetime) -> str:
    """Day as the shop writes it: ``14 May``. Never asks the locale."""
    return f"{moment.day} {_MONTHS[moment.month - 1]}"


def iso_day(moment: datetime) -> str:
    """Day as the order system writes it: ``2026-05-14``."""
    return moment.date().isoformat()


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
