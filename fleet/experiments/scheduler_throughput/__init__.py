"""Schedulers on one control plane: how many pods a second each binds under six loads, and what limits it."""
