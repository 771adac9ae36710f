"""`fleet fixture`: control planes for the tests of others, in any language."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.console import out_items, say

app = typer.Typer(help="Real control planes for tests of your own.", no_args_is_help=True)
NameOption = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="NAME",
        envvar="FLEET_FIXTURE_NAME",
        show_default=False,
        help="Who uses one name shares them. Default: one per current folder.",
    ),
]


@app.command()
def hold(
    wecs: Annotated[int, typer.Option("--wecs", metavar="N", help="How many.")] = 1,
    name: NameOption = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave them running at the end.")] = False,
) -> None:
    """Start control planes, print them as JSON, and hold them until standard input ends.

    The last who holds them ends them; who is killed holds nothing any more.
    """
    from fleet.fixture.lease import name_of
    from fleet.fixture.planes import Fixture

    with Fixture(name or name_of(Path.cwd()), keep=keep) as fixture:
        planes = fixture.start(wecs)
        items = [{"name": p.name, "server": p.server, "kubeconfig": str(p.kubeconfig)} for p in planes]
        out_items("FixtureWecList", items)
        sys.stdout.flush()
        sys.stdin.buffer.read()


@app.command()
def down(name: NameOption = None) -> None:
    """End control planes that `--keep` or `pytest --fleet-keep` left, unless a session uses them."""
    from fleet.fixture.lease import name_of
    from fleet.fixture.planes import Fixture

    with Fixture(name or name_of(Path.cwd())) as fixture:
        say(f"{fixture.name}: ends when no session uses it")
