"""Faults: what an experiment does to the fleet alongside its load. One module each, named in `registry`."""
