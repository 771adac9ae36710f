"""Client-side rate limits of all managers' programs; a fleet file holds them as plain numbers by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from fleet.model.base import Model

Rate = Annotated[float, Field(gt=0, le=2**31 - 1)]
"""Requests per second."""
Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""At most what every program's flag takes."""
QPS, BURST = "_qps", "_burst"
"""What the two limits of a client end in."""


def with_rates(names: Iterable[str], *, qps: float, burst: int) -> dict[str, float]:
    """Those of these limits that are of a client, set to this; how many workers a manager has, or how large its objects
    may be, stays as it is.

    >>> with_rates(["work_hub_qps", "work_hub_burst", "max_size_wrapped"], qps=50, burst=100)
    {'work_hub_qps': 50, 'work_hub_burst': 100}
    """
    ends = {QPS: qps, BURST: burst}
    return {name: value for name in names for end, value in ends.items() if name.endswith(end)}


class ClientLimits(Model):
    """Client-side limits that dominate latency. Defaults are those of the managers' own charts,
    or of their programs where these have flags."""

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
    karmada_controller_qps: Rate = 40
    karmada_controller_burst: Count = 60
    karmada_controller_wec_qps: Rate = 40
    karmada_controller_wec_burst: Count = 60
    karmada_scheduler_qps: Rate = 40
    karmada_scheduler_burst: Count = 60
    karmada_webhook_qps: Rate = 40
    karmada_webhook_burst: Count = 60
    karmada_aggregated_qps: Rate = 40
    karmada_aggregated_burst: Count = 60
    karmada_agent_hub_qps: Rate = 40
    karmada_agent_hub_burst: Count = 60
    karmada_agent_wec_qps: Rate = 40
    karmada_agent_wec_burst: Count = 60
    karmada_controller_queue_qps: Count = 10
    karmada_controller_queue_burst: Count = 100
    karmada_scheduler_queue_qps: Count = 10
    karmada_scheduler_queue_burst: Count = 100
    karmada_agent_queue_qps: Count = 10
    karmada_agent_queue_burst: Count = 100
    kubefleet_hub_qps: Rate = 250
    kubefleet_hub_burst: Count = 1000
    kubefleet_queue_qps: Count = 10
    kubefleet_queue_burst: Count = 100
    kubefleet_member_hub_qps: Rate = 5
    kubefleet_member_hub_burst: Count = 10
    kubefleet_member_wec_qps: Rate = 5
    kubefleet_member_wec_burst: Count = 10
    multikueue_hub_qps: Rate = 50
    multikueue_hub_burst: Count = 100
    multikueue_dispatch_qps: Rate = 5
    multikueue_dispatch_burst: Count = 10
    multikueue_worker_qps: Rate = 50
    multikueue_worker_burst: Count = 100
