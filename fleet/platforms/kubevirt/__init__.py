"""KubeVirt: virt-operator, virt-api and virt-controller as processes; kwok plays what virt-handler and virt-launcher do."""
