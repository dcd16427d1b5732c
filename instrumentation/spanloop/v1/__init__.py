"""Messages and gRPC stubs of the API, generated from `proto/spanloop/v1` by `proto/generate.py`."""
