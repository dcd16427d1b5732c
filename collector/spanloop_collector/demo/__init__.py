"""What `spanloop demo` runs: a sample application, a local stand-in of a model provider, and questions in SQL."""
