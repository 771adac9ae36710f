"""`fleet schema`: JSON Schemas of our files, for editors and readers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fleet.cli.console import out


def schema(
    name: Annotated[
        Literal["experiment", "inventory", "run", "summary", "trace"] | None,
        typer.Argument(metavar="experiment|inventory|run|summary|trace", show_default=False, help="Of which file."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", envvar="FLEET_OUT", show_default=False, help="Write all into this folder instead."
        ),
    ] = None,
) -> None:
    """Print the JSON Schema of a file. docs/schemas has all of them."""
    from fleet.cli.exporting import write_all
    from fleet.cli.schemas import SCHEMAS, file_name, page
    from fleet.errors import UsageError

    if (name is None) == (folder is None):
        raise UsageError(f"name one of {', '.join(SCHEMAS)}, or give --out DIR for all")
    if folder is not None:
        out("\n".join(map(str, write_all(folder, {file_name(one): page(one).encode() for one in SCHEMAS}))))
    elif name is not None:
        out(page(name).rstrip("\n"))
