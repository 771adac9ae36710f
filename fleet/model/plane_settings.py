"""Settings of one control plane or of all of one role (`control_plane_overrides`)."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from fleet.model.base import Model
from fleet.model.variable_types import Environment, Flags


class PlaneSettings(Model):
    """Flags and environment that are added to those of the whole fleet, and win over them."""

    apiserver_extra_args: Flags = ()
    etcd_extra_args: Flags = ()
    kcm_extra_args: Flags = ()
    scheduler_extra_args: Flags = ()
    simulator_extra_args: Flags = ()
    env: Environment = Field(default_factory=dict)
    """Of every program of the control plane."""
    apiserver_env: Environment = Field(default_factory=dict)
    etcd_env: Environment = Field(default_factory=dict)
    kcm_env: Environment = Field(default_factory=dict)
    scheduler_env: Environment = Field(default_factory=dict)
    simulator_env: Environment = Field(default_factory=dict)

    def set_fields(self) -> Iterator[str]:
        """Names of those that say something."""
        return (name for name in type(self).model_fields if getattr(self, name))


OWN_OF_DENSE = frozenset({"apiserver_extra_args", "simulator_extra_args", "simulator_env"})
"""What one instance of a dense process can have for itself."""
SHARED_BY_DENSE = frozenset({"etcd_extra_args", "env", "apiserver_env", "etcd_env"})
"""What all WECs of a dense process have together: settings of the role `wec`."""
