"""Platforms: systems under test that live in one control plane each, such as KubeVirt; one package for each."""
