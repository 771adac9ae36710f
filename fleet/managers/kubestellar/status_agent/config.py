"""The agent's configuration file: which hub, which WECs, which client limits; read at start and again on SIGHUP."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Annotated

import orjson
from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from fleet.errors import SpecError
from fleet.model.base import Model, Name

_OTHERS = stat.S_IRWXG | stat.S_IRWXO

Address = Annotated[str, StringConstraints(pattern=r"^127\.0\.0\.1:[0-9]{1,5}$")]
"""host:port, loopback only; port 0 lets the kernel choose (tests)."""


class Limits(Model):
    """Client-side limits of one WEC's agent; 0 requests per second means no limit."""

    hub_qps: float = Field(default=5, ge=0)
    hub_burst: int = Field(default=10, ge=1)
    local_qps: float = Field(default=5, ge=0)
    local_burst: int = Field(default=10, ge=1)


class WecEntry(Model):
    """One WEC: its name is also its namespace on the hub."""

    name: Name
    kubeconfig: Path
    agent: str = ""
    """Id of the OCM agent whose AppliedManifestWorks are reported here; empty: all of them. A WEC that is a member of
    several ITSes has an agent, and AppliedManifestWorks, for each."""


class AgentConfig(Limits):
    """The whole file. Paths are absolute or relative to the folder of the file."""

    hub_kubeconfig: Path
    wecs: tuple[WecEntry, ...] = ()
    allowed: tuple[str, ...] = ()
    """Hosts, besides loopback, that a kubeconfig may name: the machines of the inventory."""
    parity: bool = False
    """Call the hub exactly as ocm-status-addon does: GET before every write, write equal statuses too."""
    metrics_address: Address | None = None
    log: Path | None = None
    """File that gets one JSON line per WorkStatus write."""

    @field_validator("wecs")
    @classmethod
    def _unique(cls, wecs: tuple[WecEntry, ...]) -> tuple[WecEntry, ...]:
        seen: set[str] = set()
        for wec in wecs:
            if wec.name in seen:
                raise ValueError(f"{wec.name} is listed twice; name each WEC once")
            seen.add(wec.name)
        return wecs

    @model_validator(mode="after")
    def _port(self) -> AgentConfig:
        if self.metrics_address is not None and int(self.metrics_address.rpartition(":")[2]) > 65535:  # noqa: PLR2004
            raise ValueError("metrics_address: the port must be at most 65535")
        return self

    @property
    def limits(self) -> Limits:
        """The four client limits alone."""
        return Limits(
            hub_qps=self.hub_qps, hub_burst=self.hub_burst, local_qps=self.local_qps, local_burst=self.local_burst
        )


def load_config(path: Path) -> AgentConfig:
    """Read and check the file; SpecError names file, field and how to fix it.

    The file names every kubeconfig of the fleet, so it must not be open to others (mode 0600).
    """
    try:
        mode = path.stat().st_mode
        raw = path.read_bytes()
    except OSError as error:
        raise SpecError(f"cannot be read ({error.strerror}); give an existing file", file=path) from error
    if mode & _OTHERS:
        raise SpecError(f"mode {stat.S_IMODE(mode):04o} lets others in; run chmod 0600", file=path)
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise SpecError(f"is not JSON: {error.msg}", file=path, line=error.lineno) from error
    try:
        config = AgentConfig.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise SpecError(first["msg"], file=path, field=".".join(str(part) for part in first["loc"]) or None) from error
    return _absolute(config, path.parent)


def _absolute(config: AgentConfig, folder: Path) -> AgentConfig:
    return config.model_copy(
        update={
            "hub_kubeconfig": folder / config.hub_kubeconfig,
            "wecs": tuple(w.model_copy(update={"kubeconfig": folder / w.kubeconfig}) for w in config.wecs),
            "log": None if config.log is None else folder / config.log,
        }
    )
