"""The experiments: a module for each that distributes a workload (its file, points, how it measures one, where it can
be done), a package for each with a body of its own (`experiment.py`; for its reports `analysis.py`, `sections.py`)."""
