"""`fleet toolchain`: build, verify, find and list the upstream programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli.console import ink_for, out, out_items, say
from fleet.cli.options import OutputOption
from fleet.errors import UsageError

if TYPE_CHECKING:
    from fleet.toolchain.catalogue import Catalogue

app = typer.Typer(help="Build, verify and find the upstream programs.", no_args_is_help=True)
CacheOption = Annotated[
    Path | None,
    typer.Option(
        "--cache", metavar="DIR", envvar="FLEET_CACHE_DIR", show_default=False, help="Default: ~/.cache/fleet."
    ),
]
NeedsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--for",
        metavar="KIND:NAME",
        envvar="FLEET_TOOLCHAIN_FOR",
        show_default=False,
        help="What will use the programs, such as driver:kind; repeatable. Default: a fleet with the"
        " default variables.",
    ),
]
GroupsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--group",
        metavar="NAME",
        envvar="FLEET_TOOLCHAIN_GROUP",
        show_default=False,
        help="Only this group of versions.yaml; repeatable.",
    ),
]


def places(cache: Path | None) -> tuple[Path, Path]:
    """The `toolchain/` folder of the checkout, and the cache."""
    from fleet.model.checkout import checkout
    from fleet.toolchain.store import default_cache

    return checkout() / "toolchain", cache or default_cache()


def _wanted(source: Path, needs: list[str] | None, groups: list[str] | None) -> Catalogue:
    """The groups that options request; UsageError for a name that there is not."""
    from fleet.model.variables import Variables
    from fleet.toolchain import catalogue, needs_of

    if needs and groups:
        raise UsageError("--for and --group: give one of them")
    if groups:
        return catalogue.named(source, groups)
    catalogue.check_needs(source, needs or [])
    return catalogue.load(source, needs or needs_of(Variables()))


@app.command()
def build(
    needs: NeedsOption = None,
    groups: GroupsOption = None,
    cache: CacheOption = None,
) -> None:
    """Build what is missing (about 15 minutes the first time); prints the folder of each group."""
    from fleet.cli.console import wants_colour
    from fleet.toolchain.console import renderer
    from fleet.toolchain.ensure import ensure_groups

    source, place = places(cache)
    wanted = _wanted(source, needs, groups)
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


@app.command()
def pack(
    out_dir: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", envvar="FLEET_TOOLCHAIN_OUT", help="Folder of the archive."),
    ] = Path("dist"),
    needs: NeedsOption = None,
    groups: GroupsOption = None,
    cache: CacheOption = None,
) -> None:
    """Write what is built into one archive for this platform, with hashes and licences; prints its file and sha256."""
    from fleet.toolchain.pack import pack as write

    source, place = places(cache)
    made = write(source, place, _wanted(source, needs, groups), out_dir)
    if made.unlicensed:
        say(f"no licence is known for {', '.join(made.unlicensed)}: see {made.file}")
    out(f"{made.sha256}  {made.file}")


@app.command()
def use(
    archive: Annotated[str, typer.Argument(metavar="FILE|URL", help="Written by `fleet toolchain pack`.")],
    sha256: Annotated[
        str, typer.Option("--sha256", metavar="HEX", envvar="FLEET_TOOLCHAIN_SHA256", help="Of the archive.")
    ],
    cache: CacheOption = None,
) -> None:
    """Take the programs of an archive instead of building them; prints the folder of each group."""
    from fleet.toolchain.take import use as take

    source, place = places(cache)
    taken = take(source, place, archive, sha256)
    if taken.others:
        say(f"built from other sources, and left out: {', '.join(taken.others)}")
    for root in taken.roots:
        out(str(root))
