"""The open loop over a real fleet of 20 WECs: the driver sends while everything that it causes takes the same cores."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from fleet.analysis.fidelity import MOST_LAG_SECONDS
from tests.bench.load import RATE, SECONDS, WECS
from tests.bench.ratios import Ratio, paired
from tests.live.conftest import FAST, own_lab
from tests.live.lab import Lab

SETS = (
    "layouts=[one-to-one]",
    "workload.kind=configmap",
    f"workload.objects={RATE * SECONDS // WECS}",
    f"load.poissonLoad.expectedActionsPerSecond={RATE}",
)


def ratios(repeats: int) -> list[Ratio]:
    """Achieved over offered rate, and the 99th percentile of the lag over the 5 ms that are allowed.

    Builds a fleet of dense WECs with raised client limits, so that the loads of one run are gone before the next.
    """
    with own_lab("b-load", {"wec_count": WECS, **FAST}) as lab:
        lab.playbook("site.yml").check()
        found = [_run(lab, number) for number in range(1, repeats + 1)]
    what = f"fleet of {WECS}, {RATE} objects/s"
    rates = [(one["achieved"], one["offered"]) for one in found]
    lags = [one["lag_p99"] for one in found]
    return [
        paired(f"{what}: achieved/offered", "obj/s", [a for a, _ in rates], [b for _, b in rates], ">= 0.99"),
        paired(f"{what}: lag p99/5 ms", "s", lags, [MOST_LAG_SECONDS] * repeats, "<= 1"),
    ]


def _run(lab: Lab, seed: int) -> dict[str, Any]:
    """How true the load of one run was."""
    with tempfile.TemporaryDirectory() as results:
        words = ["experiment", "run", "wec-scaling", "--quick", "--fleet", lab.name, "--results", results]
        ran = lab.fleet(*words, *(word for one in (*SETS, f"seed={seed}") for word in ("--set", one)))
        if ran.code not in (0, 4):  # 4: a sample was late or missing, which is no matter of the sender
            raise RuntimeError(f"the run ended with {ran.code}:\n{ran.err[-2000:]}")
        summary = json.loads((Path(ran.out.strip().splitlines()[-1]).parent / "summary.json").read_text("utf-8"))
        (load,) = summary["loads"]
        return dict(load)
