"""Faults: what an experiment does to the fleet beside its load. One module each, named in `registry`."""
