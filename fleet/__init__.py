"""A fleet of real Kubernetes control planes, and the latency of every hop of every object in it."""

__version__ = "0.1.0"
