"""Where KubeVirt's programs show their metrics: TLS by KubeVirt's own authority, under the names of its Services."""

from __future__ import annotations

from fleet.host.pages import Pages, Reader, Started
from fleet.model.fleet_file import ClientTls
from fleet.platforms.kubevirt import names
from fleet.platforms.kubevirt.places import authority_file
from fleet.platforms.platform import seat_folder

SERVER_NAMES = {
    names.OPERATOR: f"{names.OPERATOR_SERVICE}.{names.NAMESPACE}.svc",
    names.API: f"{names.API_SERVICE}.{names.NAMESPACE}.svc",
    names.CONTROLLER: f"virt-controller.{names.NAMESPACE}.svc",
}
"""What the certificate of each says."""


def of_component(component: str) -> Reader:
    """Its metrics; profiles it writes only into files of its pod, on demand."""

    def read(started: Started) -> Pages:
        host, port = started.flag("listen"), started.flag("port")
        tls = ClientTls(
            ca=str(authority_file(seat_folder(started.layout, "kubevirt", started.place))),
            server_name=SERVER_NAMES[component],
        )
        return Pages(f"https://{host}:{port}/metrics", "", tls)

    return read
