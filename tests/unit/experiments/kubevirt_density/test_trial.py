"""Attempts to create one object: which are tried again."""

from __future__ import annotations

import pytest

from fleet.errors import KubeError
from fleet.experiments.kubevirt_density.trial import Creation
from fleet.kube.resources import CONFIGMAPS
from fleet.testing.api_server.server import FakeApiServer

BODY = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}}


async def test_a_webhook_that_does_not_answer_is_no_end_and_a_refusal_is() -> None:
    async with FakeApiServer() as server, server.client() as client:
        creation = Creation(client, CONFIGMAPS, BODY, "default")
        server.fail.status_500 = 1
        with pytest.raises(KubeError):
            await creation.attempt()
        assert not creation.final
        await creation.attempt()
        await creation.attempt()  # the name is taken: by an attempt before
        other = Creation(client, CONFIGMAPS, BODY, "default")
        with pytest.raises(KubeError):
            await other.attempt()
        assert other.final
