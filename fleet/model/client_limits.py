"""Client-side rate limits of KubeStellar's and OCM's programs; a fleet file holds them as plain numbers by name."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fleet.model.base import Model

Rate = Annotated[float, Field(gt=0, le=2**31 - 1)]
"""Requests per second."""
Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""At most what every program's flag takes."""


class ClientLimits(Model):
    """Client-side limits that dominate latency. Defaults are those of KubeStellar's and OCM's own charts."""

    ocm_registration_qps: Rate = 50
    ocm_registration_burst: Count = 100
    ocm_placement_qps: Rate = 50
    ocm_placement_burst: Count = 100
    ocm_work_manager_qps: Rate = 50
    ocm_work_manager_burst: Count = 100
    transport_wds_qps: Rate = 5
    transport_wds_burst: Count = 10
    transport_its_qps: Rate = 5
    transport_its_burst: Count = 10
    transport_concurrency: Count = 4
    max_num_wrapped: Count = 1
    max_size_wrapped: Count = 512000
    controller_wds_qps: Rate = 5
    controller_wds_burst: Count = 10
    controller_its_qps: Rate = 5
    controller_its_burst: Count = 10
    status_hub_qps: Rate = 5
    status_hub_burst: Count = 10
    status_local_qps: Rate = 5
    status_local_burst: Count = 10
    work_hub_qps: Rate = 50
    work_hub_burst: Count = 100
    work_spoke_qps: Rate = 50
    work_spoke_burst: Count = 100
