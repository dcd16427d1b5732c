"""Prices of models, from the genai-prices library into ClickHouse, where the mapping multiplies them.

A span's cost is computed as it is inserted. A model that spans name for the first time gets its price a moment
later, and the rows that came before it are written again with their cost. A model without a price is remembered as
such: its cost stays unknown, never zero.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from spanloop_collector.schema.fragments import NUMBER_MAP
from spanloop_collector.store import Store
from spanloop_collector.store.rounds import keep_doing

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelPrice, TieredPrices

REST_SECONDS = 2.0
"""Between looks while spans arrive: how much later than its spans a new model's cost may come. Under full load, each
look reads what came since the last one and a few seconds more."""
LOOK_BACK_SECONDS = 60
"""What the first look sees of what an earlier run stored, and a new price of what came before its model was found."""
MARGIN_SECONDS = 2.0
"""A request may have been received so much before it is counted among those that wait."""

PROVIDERS = {
    "aws.bedrock": "aws",
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "gcp.gemini": "google",
    "gcp.vertex_ai": "google",
    "gcp.gen_ai": "google",
    "google_genai": "google",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
    "x_ai": "x-ai",
    "xai": "x-ai",
}
"""Provider names of the GenAI conventions, by what genai-prices calls them where they differ."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens of one model."""

    key: str
    """Provider and model as spans name them, joined by a slash."""
    rates: tuple[float, ...]
    """Input, cache read, cache write, output; empty where no price is known."""
    priced_as: str
    """The library's provider and model; empty where no price is known."""
    price_date: date
    """The day whose prices these are."""

    def cost(self, prompt: float, completion: float, *, cached: float = 0, written: float = 0) -> float | None:
        """US dollars of a call's tokens, of which `cached` and `written` to the cache are part of the prompt's; None
        where no price is known."""
        if not self.rates:
            return None
        tokens = (max(prompt - cached - written, 0), cached, written, completion)
        return sum(rate * count for rate, count in zip(self.rates, tokens, strict=True)) / 1e6


def find_price(provider: str, model: str, *, now: datetime) -> Price:
    """The price of a model on that day; a Price without rates where the library knows none."""
    # Imported late: its tables take a quarter of what a start does, and are asked once per model.
    from genai_prices.data_snapshot import get_snapshot

    key = f"{provider}/{model}"
    found = _find_model(get_snapshot(), provider, model, now)
    if found is None:
        return Price(key, (), "", now.date())
    priced_as, price = found
    input_rate = _rate(price.input_mtok)
    return Price(
        key,
        (
            input_rate,
            _rate(price.cache_read_mtok, otherwise=input_rate),
            _rate(price.cache_write_mtok, otherwise=input_rate),
            _rate(price.output_mtok),
        ),
        priced_as,
        now.date(),
    )


class Pricing:
    """Looks for models without a price, finds it, and completes the rows that came before it."""

    def __init__(self, store: Store, oldest_waiting_seconds: Callable[[], float] = lambda: 0.0) -> None:
        """`oldest_waiting_seconds` is the age of the oldest spans that were received and are not stored yet.

        What was stored before the last look is not read again: under full load that would be millions of rows.
        """
        self._store = store
        self._oldest_waiting_seconds = oldest_waiting_seconds
        self._since = time.time() - LOOK_BACK_SECONDS - oldest_waiting_seconds()
        self._fresh: dict[Price, float] = {}
        """Prices by the time they were added: inserts that had begun by then do not know them yet."""

    async def run(self) -> None:
        """Works until cancelled."""
        with self._store.bells.listen("spans") as bell:
            await keep_doing("pricing", self._round, bell, rest_seconds=REST_SECONDS)

    async def _round(self) -> None:
        await asyncio.to_thread(self.price_new_models)

    def price_new_models(self) -> list[Price]:
        """Prices every model that recent spans name and the table lacks; returns what it added."""
        next_since = time.time() - self._oldest_waiting_seconds() - MARGIN_SECONDS
        prices = [find_price(provider, model, now=datetime.now(UTC)) for provider, model in self._unpriced()]
        if prices:
            rows = [(price.key, list(price.rates), price.priced_as, price.price_date) for price in prices]
            self._store.insert_rows("model_prices", rows, ("key", "prices", "priced_as", "price_date"))
        self._fresh |= {price: time.time() for price in prices if price.rates}
        for price in self._fresh:
            self._complete_rows(price)
        self._since = next_since
        self._fresh = {price: added for price, added in self._fresh.items() if added >= next_since}
        return prices

    def _unpriced(self) -> list[tuple[str, str]]:
        result = self._store.query(
            f"""
            SELECT DISTINCT provider, model
            FROM {self._store.database}.spans
            WHERE received > fromUnixTimestamp64Micro({{since_us:Int64}}, 'UTC')
                AND model != ''
                AND tokens > 0
                AND concat(provider, '/', model) GLOBAL NOT IN (SELECT key FROM {self._store.database}.model_prices)
            """,
            {"since_us": int(self._since * 1e6)},
        )
        return [(provider, model) for provider, model in result.result_rows]

    def _complete_rows(self, price: Price) -> None:
        """Writes rows of this model that have no cost yet again, one version later."""
        database = self._store.database
        self._store.command(
            f"""
            INSERT INTO {database}.spans
            SELECT * EXCEPT (known_cost) REPLACE (
                if(known_cost = 0, mapConcat(metrics, CAST(map('cost', 0), '{NUMBER_MAP}')), metrics) AS metrics,
                known_cost AS cost,
                version + 1 AS version
            )
            FROM
            (
                SELECT
                    *,
                    (
                        greatest(
                            metrics['prompt_tokens'] - metrics['prompt_cached_tokens']
                                - metrics['prompt_cache_creation_tokens'],
                            0
                        ) * {{rates:Array(Float64)}}[1]
                        + metrics['prompt_cached_tokens'] * {{rates:Array(Float64)}}[2]
                        + metrics['prompt_cache_creation_tokens'] * {{rates:Array(Float64)}}[3]
                        + metrics['completion_tokens'] * {{rates:Array(Float64)}}[4]
                    ) / 1e6 AS known_cost
                FROM {database}.spans FINAL
                WHERE received > fromUnixTimestamp64Micro({{since_us:Int64}}, 'UTC')
                    AND concat(provider, '/', model) = {{key:String}}
                    AND tokens > 0
                    AND cost = 0
                    AND NOT mapContains(metrics, 'cost')
            )
            """,
            {
                "rates": list(price.rates),
                "key": price.key,
                "since_us": int((self._since - LOOK_BACK_SECONDS) * 1e6),
            },
        )


def _find_model(snapshot: DataSnapshot, provider: str, model: str, now: datetime) -> tuple[str, ModelPrice] | None:
    provider_id = PROVIDERS.get(provider, provider) or None
    try:
        found_provider, found_model = snapshot.find_provider_model(model, None, provider_id, None)
    except LookupError:
        return None
    return f"{found_provider.id}/{found_model.id}", found_model.get_prices(now)


def _rate(price: Decimal | TieredPrices | None, *, otherwise: float = 0.0) -> float:
    """Dollars per million tokens; of tiered prices, the first tier."""
    if price is None:
        return otherwise
    return float(price if isinstance(price, Decimal) else price.base)
