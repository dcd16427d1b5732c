"""What the collector costs and how fast it is, side by side with others: `python -m tests.benchmarks`."""
