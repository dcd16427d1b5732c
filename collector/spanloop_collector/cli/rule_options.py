"""Options that several commands about rules share, and where the API has them."""

from __future__ import annotations

from typing import Annotated

import typer

PATH = "/v1/scoring-rules"

Name = Annotated[str, typer.Argument(help="Name of the rule.")]
Project = Annotated[
    str,
    typer.Option(help="Project of the rule; empty: the key's, or a rule for every project.", envvar="SPANLOOP_PROJECT"),
]
