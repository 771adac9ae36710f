"""Refuses what KubeStellar could never carry: a load that its client limits hold up too long, a ManifestWork or a
Binding beyond etcd."""

from __future__ import annotations

from fleet.errors import UsageError
from fleet.managers.kubestellar.prediction import predict
from fleet.managers.kubestellar.sizing import check, sizes
from fleet.managers.manager import Burden
from fleet.model.client_limits import ClientLimits
from fleet.model.duration import shown


def check_burden(burden: Burden) -> None:
    """UsageError with the numbers."""
    limits = ClientLimits.model_validate(dict(burden.limits))
    _check_time(burden, limits)
    check(sizes(burden.writes, limits), limits)


def _check_time(burden: Burden, limits: ClientLimits) -> None:
    # Each WDS has programs of its own, with buckets of their own.
    mine = burden.policies
    its, wds, bindings, _ = predict(burden.layout, burden.wecs, burden.each, limits, returns=False, policies=mine)
    floor = max(its, wds, bindings)
    if floor <= burden.last + burden.seconds:
        return
    which = {its: "transport_its_qps", wds: "transport_wds_qps", bindings: "controller_wds_qps"}[floor]
    raise UsageError(
        f"timeouts.object: {burden.shown}: {burden.objects} objects, {burden.copies} copies in WECs; the fleet's "
        f"client limits alone require {floor:.0f} s (most: {which}), and {shown(burden.seconds)} are allowed. Raise "
        "the fleet's limits or max_num_wrapped with `fleet up -e`, or timeouts.object, or send less"
    )
