"""Small real things that tests start: a ClickHouse server, a collector, a way to wait."""
