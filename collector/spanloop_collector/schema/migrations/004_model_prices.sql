-- Prices in US dollars per million tokens: [input, cache read, cache write, output]; [] where none is known.
-- The newest row of a key counts. `key` is provider and model as spans name them, joined by a slash.

CREATE TABLE IF NOT EXISTS {database}.model_prices {on_cluster}
(
    key String,
    prices Array(Float64),
    priced_as String,
    price_date Date
)
ENGINE = Join(ANY, LEFT, key)
SETTINGS join_any_take_last_row = 1;
