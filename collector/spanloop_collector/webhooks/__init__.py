"""Signed messages to other people's servers: kept until delivered, tried again, never sent into our own network."""
