"""Hollow nodes: upstream's kubelet and kube-proxy code with mocked backends, many in one process.

docs/how-to/hollow-nodes.md has the whole.
"""
