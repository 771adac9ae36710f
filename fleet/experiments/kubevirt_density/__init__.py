"""kubevirt-density: KubeVirt's own density test on simulated nodes, with the latency of every phase."""
