"""Profiles for Grafana Pyroscope: one PushRequest as JSON per profile, for its `push.v1.PusherService/Push`.

The fields are those of Pyroscope's push.proto in the JSON form that its Connect API takes; the profile stays as the
program served it, and its time with it.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from pathlib import PurePosixPath

from fleet.analysis.study import Study
from fleet.errors import UsageError
from fleet.results.events import ProfileTaken

NAMES = {"heap": "memory", "goroutine": "goroutine", "cpu": "process_cpu"}
"""Pyroscope's own names of the kinds of a Go program, as its scraper gives them."""


class PyroscopeReporter:
    """`pyroscope/<program>/<kind>-<UTC>.json`, one per profile of the run."""

    def files(self, study: Study) -> Mapping[str, bytes]:
        """UsageError when the run has no profiles, or one is gone."""
        taken = [one for one in study.recorded.profiles if one.file]
        if not taken:
            raise UsageError(f"{study.run.id} has no profiles; run it with --set profiles.enabled=true")
        return {_name(one): json.dumps(_request(study, one)).encode() + b"\n" for one in taken}


def _name(one: ProfileTaken) -> str:
    path = PurePosixPath(one.file)
    return f"pyroscope/{one.program}/{path.name.removesuffix('.pb.gz')}.json"


def _request(study: Study, one: ProfileTaken) -> dict[str, object]:
    labels = {
        "__name__": NAMES[one.kind],
        "service_name": f"{study.run.fleet.name}/{one.component}",
        "program": one.program,
        "component": one.component,
        "cluster": one.cluster,
        "machine": one.machine,
        "fleet": study.run.fleet.name,
        "run": study.run.id,
        "experiment": study.run.experiment,
    }
    try:
        data = (study.folder / one.file).read_bytes()
    except OSError as error:
        raise UsageError(f"{study.folder / one.file}: {error.strerror}; take the folder from its backup") from error
    # The same profile gets the same id, so that a second push can be distinguished from another profile.
    sample = {"rawProfile": base64.b64encode(data).decode(), "ID": str(uuid.uuid5(uuid.NAMESPACE_OID, one.file))}
    pairs = [{"name": name, "value": value} for name, value in sorted(labels.items()) if value]
    return {"series": [{"labels": pairs, "samples": [sample]}]}
