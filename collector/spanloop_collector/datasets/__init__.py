"""Datasets: what they are (`registry`), their rows (`reader`, `writer`), their versions (`history`), the API of it all
(`operations`)."""
