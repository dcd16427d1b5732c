"""The version of the distribution; a test holds it equal to the project's metadata."""

__version__ = "0.1.0"
