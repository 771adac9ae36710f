"""Node simulators: one package for each way of giving a control plane nodes that no machine backs."""
