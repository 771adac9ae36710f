"""The importers by the word of `fleet trace import`. To add one, write its module and add it here."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.errors import UsageError
from fleet.model.model_errors import nearest
from fleet.trace.importers import (
    alibaba_2018,
    alibaba_gpu_2023,
    audit,
    azure_packing,
    etcd,
    events,
    google_2019,
    run,
    simkube,
)
from fleet.trace.importers.importer import Importer

IMPORTERS: Mapping[str, Importer] = {
    module.IMPORTER.name: module.IMPORTER
    for module in (
        audit,
        events,
        etcd,
        simkube,
        google_2019,
        azure_packing,
        alibaba_2018,
        alibaba_gpu_2023,
        run,
    )
}


def of(name: str) -> Importer:
    """The importer of that name; UsageError when there is none."""
    if name not in IMPORTERS:
        raise UsageError(f"there is no importer {name!r}{nearest(name, IMPORTERS)}: one of {', '.join(IMPORTERS)}")
    return IMPORTERS[name]
