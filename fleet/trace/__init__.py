"""Traces of pods: files, importers, recording from running clusters, and what can be said of one."""
