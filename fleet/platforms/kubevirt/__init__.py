"""KubeVirt: virt-operator, virt-api and virt-controller as processes; kwok plays virt-handler and virt-launcher."""
