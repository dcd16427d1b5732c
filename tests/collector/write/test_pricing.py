"""Costs follow the price table: each kind of token once, and unknown rather than zero."""

from __future__ import annotations

from datetime import UTC, datetime
from time import time_ns
from typing import Any

import pytest
from spanloop_collector.store import Store
from spanloop_collector.write.pricing import Price, Pricing, find_price

from tests.collector.schema.spans import span, store_spans, stored

pytestmark = pytest.mark.also_on_cluster

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def llm_span(model: str, **attributes: Any) -> Any:
    return span(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": model,
            "gen_ai.usage.input_tokens": 1_000_000,
            "gen_ai.usage.output_tokens": 100_000,
            "gen_ai.usage.cache_read.input_tokens": 400_000,
            **attributes,
        }
    )


def test_prices_come_from_the_library_with_its_date() -> None:
    price = find_price("openai", "gpt-4o-2024-08-06", now=NOW)

    assert price == Price("openai/gpt-4o-2024-08-06", (2.5, 1.25, 2.5, 10.0), "openai/gpt-4o", NOW.date())


@pytest.mark.parametrize(
    ("provider", "priced_as"), [("azure.ai.openai", "azure/gpt-4o"), ("", "openai/gpt-4o"), ("nobody", "")]
)
def test_providers_go_by_their_names_in_the_conventions(provider: str, priced_as: str) -> None:
    assert find_price(provider, "gpt-4o", now=NOW).priced_as == priced_as


def test_a_new_models_rows_get_their_cost_a_moment_later(store: Store) -> None:
    before = stored(store, llm_span("gpt-4o"), received=time_ns())
    assert "cost" not in before["metrics"]

    Pricing(store).price_new_models()

    (after,) = store.query(f"SELECT metrics, cost FROM {store.database}.logs").result_rows
    # 600k uncached at 2.50, 400k cached at 1.25, 100k out at 10.00 per million.
    assert after[0]["cost"] == pytest.approx(1.5 + 0.5 + 1.0)
    assert after[1] == pytest.approx(3.0)


def test_rows_that_wait_for_clickhouse_get_their_cost_however_late(store: Store) -> None:
    received = time_ns()
    pricing = Pricing(store, lambda: 3600.0)
    pricing.price_new_models()

    stored(store, llm_span("gpt-4o"), received=received - 3500 * 10**9)

    assert [price.key for price in pricing.price_new_models()] == ["openai/gpt-4o"]
    assert store.column(f"SELECT cost FROM {store.database}.logs") == [pytest.approx(3.0)]


def test_an_insert_that_began_before_the_price_came_is_completed_too(store: Store) -> None:
    pricing = Pricing(store, lambda: 30.0)
    store_spans(store, llm_span("gpt-4o"), received=time_ns())
    (price,) = pricing.price_new_models()

    # As an insert sees it that read the prices before this one was there.
    store.command(f"TRUNCATE TABLE {store.database}.model_prices")
    store_spans(store, llm_span("gpt-4o"), received=time_ns())
    row = (price.key, list(price.rates), price.priced_as, price.price_date)
    store.insert_rows("model_prices", [row], ("key", "prices", "priced_as", "price_date"))
    assert sorted(store.column(f"SELECT cost FROM {store.database}.logs")) == [0.0, pytest.approx(3.0)]

    assert pricing.price_new_models() == []
    assert store.column(f"SELECT cost FROM {store.database}.logs") == [pytest.approx(3.0)] * 2


def test_a_known_models_rows_are_priced_as_they_arrive(store: Store) -> None:
    store.insert_rows(
        "model_prices",
        [("openai/gpt-4o", [2.5, 1.25, 2.5, 10.0], "openai/gpt-4o", NOW.date())],
        ("key", "prices", "priced_as", "price_date"),
    )

    assert stored(store, llm_span("gpt-4o"))["metrics"]["cost"] == pytest.approx(3.0)


@pytest.mark.parametrize("written", ["cache_write.input_tokens", "cache_creation.input_tokens"])
@pytest.mark.parametrize(
    ("counts", "cost"),
    [
        # 90k read anew at 3.00, 80k from the cache at 0.30, 30k written to it at 3.75, per million: 200k in all.
        ((200_000, 80_000, 30_000), 0.27 + 0.024 + 0.1125),
        # From instrumentors that leave the cache out of the total.
        ((10_000, 80_000, 30_000), 0.024 + 0.1125),
    ],
)
def test_tokens_of_the_cache_are_priced_once(
    store: Store, written: str, counts: tuple[int, int, int], cost: float
) -> None:
    price = ("anthropic/claude-x", [3.0, 0.3, 3.75, 15.0], "anthropic/claude-x", NOW.date())
    store.insert_rows("model_prices", [price], ("key", "prices", "priced_as", "price_date"))
    names = ("input_tokens", "cache_read.input_tokens", written)
    usage = {f"gen_ai.usage.{name}": count for name, count in zip(names, counts, strict=True)}
    call = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-x"}

    assert stored(store, span(call | usage))["metrics"]["cost"] == pytest.approx(cost)


def test_a_cost_that_the_span_brings_wins(store: Store) -> None:
    assert stored(store, llm_span("gpt-4o", **{"gen_ai.usage.cost": 0.25}))["metrics"]["cost"] == 0.25


def test_a_model_without_a_price_has_no_cost(store: Store) -> None:
    stored(store, llm_span("home-made-7b"), received=time_ns())
    pricing = Pricing(store)

    assert [price.rates for price in pricing.price_new_models()] == [()]
    assert pricing.price_new_models() == []
    (row,) = store.query(f"SELECT metrics FROM {store.database}.logs").result_rows
    assert "cost" not in row[0]
