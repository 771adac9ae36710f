"""Clusters that exist already, as a user names them: WECs by kubeconfig or context, those of a hub by role."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from fleet.model.base import Model, Name


class ExistingWecs(Model):
    """Each kubeconfig is a WEC (its current context), or each of the `contexts` of the only one is."""

    kubeconfigs: list[str] = Field(default_factory=list)
    """Files; or folders, of which every file is one."""
    contexts: list[str] = Field(default_factory=list)
    names: dict[str, Name] = Field(default_factory=dict)
    """Names of WECs by context, or by file name; else a WEC is called as its context or its file is. Under that name
    it is a member of the hub."""

    @model_validator(mode="after")
    def _contexts_of_one(self) -> ExistingWecs:
        if self.contexts and len(self.kubeconfigs) != 1:
            raise ValueError(f"contexts: needs exactly one kubeconfig, not {len(self.kubeconfigs)}")
        if len(set(self.contexts)) != len(self.contexts):
            raise ValueError("contexts: one is there twice")
        return self


class ExistingPlane(Model):
    """One cluster of a hub. A text is its kubeconfig."""

    kubeconfig: str
    context: str = ""
    """Empty: the current one."""

    @model_validator(mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return {"kubeconfig": value} if isinstance(value, str) else value


ExistingHub = dict[str, dict[Name, ExistingPlane]]
"""Role of the manager to the clusters that have it, by name: `{hub: {hub1: hub.yaml}}`."""
