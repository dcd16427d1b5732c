"""Experiments: their registry, the door that closes when one is finished, and the comparison of several."""
