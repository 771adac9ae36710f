"""The stand-in of ocm-status-addon: one asyncio process that returns the status of many WECs as WorkStatus objects.

`python -m fleet.managers.kubestellar.status_agent --config FILE`. One WEC's way through the modules:

    wec     watches AppliedManifestWorks and the kinds that they applied   (watch keeps each reflector alive)
    plan    one object -> the WorkStatus it requests                       (pure)
    ledger  which events change anything, which names are taken            (pure)
    queue   newest state only, one handling per object at a time, backoff
    hub     POST, label PATCH, PUT /status, DELETE behind the WEC's own token bucket
    agent   one of these per WEC, each restarted on its own; config, metrics and journal around them

What it does otherwise than ocm-status-addon: it deletes a WorkStatus also when its object lost its owner, got another
first owner or vanished unseen; it clears the status when the object has none any more; and, unless `parity` is on, it
writes nothing for an equal status, does not GET before it writes, and reads each ManifestWork once.
"""
