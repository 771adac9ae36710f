"""What runs on one machine: control planes and their programs, synchronous, no Kubernetes client but
`/readyz`."""
