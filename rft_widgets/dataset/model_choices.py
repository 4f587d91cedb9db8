"""The connections of a store, as somebody who wants a model asked chooses among them."""

from __future__ import annotations

from rft_widgets.llm.catalogue import known_model, notice_of, price_of
from rft_widgets.llm.endpoint import missing_of
from rft_widgets.model.connection import (
    ConnectionTest,
    ConnectionView,
    ModelChoice,
    NamedConnection,
)
from rft_widgets.store import connections
from rft_widgets.store.connection import Store


def connection_views(store: Store) -> tuple[ConnectionView, ...]:
    """Every named connection of the store with what is known of it, by name; no key is read."""
    with store.read() as connection:
        named = connections.read_all(connection)
        tests = connections.tests(connection)
    return tuple(_view(one, tests.get(one.name)) for one in named)


def model_choices(store: Store) -> tuple[ModelChoice, ...]:
    """Every named connection of the store as a choice, by name."""
    return tuple(
        ModelChoice(
            name=view.named.name,
            model=view.named.model,
            notice=view.notice,
            missing=view.missing,
            works=None if view.test is None else view.test.works,
        )
        for view in connection_views(store)
    )


def _view(named: NamedConnection, test: ConnectionTest | None) -> ConnectionView:
    price = price_of(named.model, named)
    known = known_model(named.connection.base_url, named.model)
    return ConnectionView(
        named=named,
        missing=missing_of(named.connection),
        notice=notice_of(named, test),
        input_price=price.input_price,
        output_price=price.output_price,
        context=None if known is None else known.context,
        test=test,
    )
