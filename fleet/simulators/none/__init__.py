"""No nodes: workload in a WEC is not scheduled."""
