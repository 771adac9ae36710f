"""KubeVirt's own audit tool over a trial, against the fleet's Prometheus, where the fleet has one."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

from fleet.experiment.session import Session
from fleet.experiments.kubevirt_density.upstream import said_of
from fleet.model.duration import parse_duration
from fleet.platforms.kubevirt import names

PROGRAM = "perfscale-audit"
PROMETHEUS, LISTENS = "prometheus", "--web.listen-address="
SECONDS = 600.0
"""It waits until ten scrapes have passed since the trial began."""


async def audited(session: Session, trial: str, begin: float, end: float) -> None:
    """From one moment to another, Unix seconds; what fails is an anomaly: our own figures do not depend on it."""
    url, program = _prometheus(session), _program(session)
    if not url or program is None:
        return
    interval = parse_duration(str(session.fleet.variables.get("monitoring_interval") or "15s"))
    asked = {
        "prometheusURL": url,
        "startTime": _moment(begin),
        "endTime": _moment(end),
        "prometheusScrapeInterval": round(interval * 1e9),
    }
    given = session.folder.raw(f"audit-{trial}-given.json")
    said = session.folder.raw(said_of(trial))
    given.write_text(json.dumps(asked, indent=1) + "\n", encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        str(program),
        f"--config-file={given}",
        f"--results-file={said}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS):
            _, words = await process.communicate()
    except TimeoutError:
        session.recorder.anomaly("audit", f"{trial}: {PROGRAM} took over {SECONDS:.0f} s")
        return
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        session.recorder.anomaly("audit", f"{trial}: {PROGRAM} failed: {words.decode(errors='replace')[-400:]}")


def _prometheus(session: Session) -> str:
    """URL of the fleet's; empty where it has none that this machine reaches."""
    local = {machine.name for machine in session.fleet.machines if machine.connection == "local"}
    for component in session.fleet.components:
        if component.component == PROMETHEUS and component.machine in local:
            return next(
                (f"http://{word.removeprefix(LISTENS)}" for word in component.argv if word.startswith(LISTENS)), ""
            )
    return ""


def _program(session: Session) -> Path | None:
    """Alongside virt-controller, in the folder of the toolchain."""
    for component in session.fleet.components:
        if component.component == names.CONTROLLER and component.argv:
            program = Path(component.argv[0]).with_name(PROGRAM)
            return program if program.exists() else None
    return None


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
