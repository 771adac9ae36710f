"""Hollow nodes: upstream's kubelet and kube-proxy code with mocked backends, many in one process.

docs/hollow-nodes.md has the whole.
"""
