"""`fleet reproduce`: the same fleet, the same experiment, the same seed as a recorded run; then both compared."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli import complete
from fleet.cli.console import ink_for, out, say
from fleet.cli.options import RESULTS, THRESHOLD, ResultsOption, ThresholdOption
from fleet.errors import UsageError

if TYPE_CHECKING:
    from fleet.model.fleet_file import FleetFile
    from fleet.results.run import RunRecord


def reproduce(
    run: Annotated[
        str, typer.Argument(metavar="RUN", autocompletion=complete.runs, help="The run: folder, id or its end.")
    ],
    fleet: Annotated[
        str,
        typer.Option(
            "--fleet",
            metavar="NAME",
            envvar="FLEET_NAME",
            help="Name of the fleet to build; one that is alike is used.",
        ),
    ] = "repro",
    threshold: ThresholdOption = THRESHOLD,
    keep: Annotated[
        bool, typer.Option("--keep", envvar="FLEET_KEEP", help="Leave the fleet that was built up.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", envvar="FLEET_FORCE", help="Compare although the machine differs.")
    ] = False,
    results: ResultsOption = RESULTS,
) -> int:
    """Build a run's fleet again, repeat the run with its seed, compare. Ends as these three do."""
    from fleet.cli import rebuild
    from fleet.cli.build import take_down
    from fleet.cli.comparison_view import share
    from fleet.cli.run_list import choose

    least = share(threshold)
    old = choose(run, results)
    record = old.read_run()
    wanted = rebuild.variables(record.fleet)
    rebuild.refuse(record, _versions())
    file, built = _fleet(fleet, record, wanted)
    try:
        return _again(old.path, record, file, results, least, force=force)
    finally:
        if built and not keep:
            take_down(file)
        elif built:
            say(f"the fleet {fleet} is still up; end it with: fleet down --fleet {fleet}")


def _versions() -> dict[str, str]:
    from fleet.cli.toolchain import places
    from fleet.toolchain import catalogue

    return catalogue.every(places(None)[0]).versions


def _fleet(name: str, record: RunRecord, wanted: dict[str, object]) -> tuple[Path, bool]:
    """The fleet file to run on, and whether it was built now. UsageError when another fleet has the name."""
    from fleet.cli import rebuild
    from fleet.cli.build import checked_name
    from fleet.cli.playbook import play
    from fleet.model import fleet_load

    root = fleet_load.state_root()
    file = root / checked_name(name, "--fleet") / fleet_load.FILE
    if file.exists():
        found = fleet_load.load_built(file)
        differing = rebuild.unlike(record.fleet, found)
        if differing:
            raise UsageError(
                f"there is another fleet {name} already: {'; '.join(differing)}. Choose a name with --fleet"
            )
        return file, False
    if file.parent.exists():
        raise UsageError(
            f"{file.parent} has no fleet file: end it with `fleet down --fleet {name}`, or choose another name"
        )
    play("site.yml", inventory=None, variables={"fleet_name": name, "fleet_state_dir": str(root), **wanted})
    return file, True


def _again(old: Path, record: RunRecord, file: Path, results: Path, threshold: float, *, force: bool) -> int:
    """Run it, report it, compare; the exit code."""
    import fleet.experiment as runner
    from fleet.cli.experiment_run import progress
    from fleet.cli.refit import FleetUp
    from fleet.experiments import registry
    from fleet.model import fleet_load

    found: FleetFile = fleet_load.load_built(file)
    refit = FleetUp(found, file.absolute().parent.parent)
    spec = registry.recorded(record.spec)
    outcome = runner.run(
        found, file, registry.of(spec), spec, results_root=results, progress=progress(), reconfigure=refit
    )
    from fleet.analysis.compare import compare as judge
    from fleet.analysis.study import analyse
    from fleet.cli.comparison_view import EXIT_CODES, lines, write_page
    from fleet.cli.reporting import make, page_of, tell
    from fleet.results.folder import RunFolder

    folder = RunFolder.open(outcome.folder)
    study = make(folder)
    tell(study)
    compared = judge(analyse(RunFolder.open(old)), study, threshold=threshold, force=force)
    page = folder.path / "reproduced.html"
    write_page(page, compared)
    out(page_of(folder))
    out(lines(compared, ink_for(sys.stdout)))
    return outcome.exit_code or EXIT_CODES[compared.outcome]
