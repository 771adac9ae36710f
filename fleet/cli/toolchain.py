"""`fleet toolchain`: build, verify, find and list the upstream programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.console import ink_for, out, out_items, say
from fleet.cli.options import OutputOption

app = typer.Typer(help="Build, verify and find the upstream programs.", no_args_is_help=True)
CacheOption = Annotated[
    Path | None,
    typer.Option(
        "--cache", metavar="DIR", envvar="FLEET_CACHE_DIR", show_default=False, help="Default: ~/.cache/fleet."
    ),
]


def places(cache: Path | None) -> tuple[Path, Path]:
    """The `toolchain/` folder of the checkout, and the cache."""
    from fleet.cli.playbook import checkout
    from fleet.toolchain.store import default_cache

    return checkout() / "toolchain", cache or default_cache()


@app.command()
def build(cache: CacheOption = None) -> None:
    """Build what is missing (about 20 minutes the first time); prints the toolchain's folder."""
    from fleet.cli.console import wants_colour
    from fleet.toolchain import ensure
    from fleet.toolchain.console import renderer

    source, place = places(cache)
    made = ensure(source, place, renderer(sys.stderr, motion=wants_colour(sys.stderr)))
    out(str(made.root))


@app.command()
def verify(cache: CacheOption = None) -> None:
    """Check the built programs against their recorded digests; builds nothing."""
    from fleet.toolchain import locate

    found = locate(*places(cache))
    say(f"{len(found.programs)} programs verified, digest {found.digest}")


@app.command()
def path(
    program: Annotated[str | None, typer.Argument(metavar="[PROGRAM]", show_default=False, help="One program.")] = None,
    cache: CacheOption = None,
) -> None:
    """Print the folder of the toolchain, or the path of one program."""
    from fleet.toolchain import locate

    found = locate(*places(cache))
    out(str(found.root if program is None else found.program(program)))


@app.command("list")
def list_(cache: CacheOption = None, output: OutputOption = "table") -> None:
    """List the programs and their versions."""
    from fleet.cli.table import Column, render
    from fleet.toolchain import locate

    found = locate(*places(cache))
    items = [{"name": name, "version": version} for name, version in sorted(found.versions.items())]
    if output == "json":
        out_items("ProgramList", items, digest=found.digest)
    else:
        rows = [[item["name"], item["version"]] for item in items]
        out(render([Column("PROGRAM"), Column("VERSION")], rows, ink_for(sys.stdout)))
