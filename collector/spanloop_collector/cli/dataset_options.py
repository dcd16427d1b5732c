"""Options that several commands about datasets share."""

from __future__ import annotations

from typing import Annotated

import typer

Project = Annotated[
    str,
    typer.Option(help="Project; empty: the key's, or the collector's default.", envvar="SPANLOOP_PROJECT"),
]
DatasetName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the dataset.")]
