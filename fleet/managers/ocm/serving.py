"""What OCM's programs show on their metrics and debug port: a certificate of the fleet, instead of one made again.

Left to themselves they make two RSA keys at each start, and nobody could distinguish them from a stranger.
"""

from __future__ import annotations

import json
from pathlib import Path

from fleet.host.authority import Authority, Subject
from fleet.host.files import private_directory, write_private
from fleet.host.layout import Layout

NAME = "ocm-serving"


def config_file(layout: Layout) -> Path:
    """The `--config` of every OCM program of the machine: nothing but the certificate to serve with."""
    return layout.root / "hub" / f"{NAME}.json"


def files(layout: Layout) -> tuple[Path, Path]:
    """The configuration and the certificate: what a program reads when it starts."""
    return config_file(layout), layout.root / "hub" / "pki" / f"{NAME}.crt"


def ensure(layout: Layout, fleet: str) -> bool:
    """Write both; True when one of them changed."""
    authority = Authority.ensure(layout.pki, "ca", common_name=f"{fleet}-ca")
    folder = layout.root / "hub" / "pki"
    private_directory(folder.parent)
    pair = authority.issue(folder, NAME, Subject("ocm", (), ("127.0.0.1", "localhost"), client=False))
    document = {
        "apiVersion": "operator.openshift.io/v1alpha1",
        "kind": "GenericOperatorConfig",
        "servingInfo": {"certFile": str(pair.cert), "keyFile": str(pair.key)},
    }
    return write_private(config_file(layout), (json.dumps(document, indent=1) + "\n").encode()) or pair.changed
