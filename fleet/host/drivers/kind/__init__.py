"""The driver `kind`: each control plane is a kind cluster in a container engine."""
