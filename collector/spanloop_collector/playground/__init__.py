"""Prompts tried out on models. Nothing is stored here: what is kept is written as an experiment."""
