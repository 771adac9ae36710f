"""`fleet toolchain`: build, verify, find and list the upstream programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.console import ink_for, out, out_items, say
from fleet.cli.options import OutputOption
from fleet.errors import UsageError

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
def build(
    needs: Annotated[
        list[str] | None,
        typer.Option(
            "--for",
            metavar="KIND:NAME",
            envvar="FLEET_TOOLCHAIN_FOR",
            show_default=False,
            help="What will use the programs, such as driver:kind; repeatable. Default: a fleet with the"
            " default variables.",
        ),
    ] = None,
    groups: Annotated[
        list[str] | None,
        typer.Option(
            "--group",
            metavar="NAME",
            envvar="FLEET_TOOLCHAIN_GROUP",
            show_default=False,
            help="Only this group of versions.yaml; repeatable.",
        ),
    ] = None,
    cache: CacheOption = None,
) -> None:
    """Build what is missing (about 15 minutes the first time); prints the folder of each group."""
    from fleet.cli.console import wants_colour
    from fleet.model.variables import Variables
    from fleet.toolchain import catalogue, needs_of
    from fleet.toolchain.console import renderer
    from fleet.toolchain.ensure import ensure_groups

    source, place = places(cache)
    if needs and groups:
        raise UsageError("--for and --group: give one of them")
    if groups:
        wanted = catalogue.named(source, groups)
    else:
        catalogue.check_needs(source, needs or [])
        wanted = catalogue.load(source, needs or needs_of(Variables()))
    made = ensure_groups(source, place, renderer(sys.stderr, motion=wants_colour(sys.stderr)), wanted)
    for part in made.parts:
        out(str(part.root))


@app.command()
def verify(cache: CacheOption = None) -> None:
    """Check the built programs against their recorded digests; builds nothing."""
    from fleet.toolchain import built

    found = built(*places(cache))
    say(f"{len(found.programs)} programs verified, digest {found.digest}")


@app.command()
def path(
    program: Annotated[str | None, typer.Argument(metavar="[PROGRAM]", show_default=False, help="One program.")] = None,
    cache: CacheOption = None,
) -> None:
    """Print the folder of each group that is built, or the path of one program."""
    from fleet.toolchain import built

    found = built(*places(cache))
    for line in [part.root for part in found.parts] if program is None else [found.program(program)]:
        out(str(line))


@app.command("list")
def list_(cache: CacheOption = None, output: OutputOption = "table") -> None:
    """List the programs that are built, and their versions."""
    from fleet.cli.table import Column, render
    from fleet.toolchain import built

    found = built(*places(cache))
    items = [{"name": name, "version": version} for name, version in sorted(found.versions.items())]
    if output == "json":
        out_items("ProgramList", items, digest=found.digest)
    else:
        rows = [[item["name"], item["version"]] for item in items]
        out(render([Column("PROGRAM"), Column("VERSION")], rows, ink_for(sys.stdout)))
