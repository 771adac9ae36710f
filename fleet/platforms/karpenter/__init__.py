"""Karpenter: its controller with the provider whose machines are simulated nodes, as one process."""
