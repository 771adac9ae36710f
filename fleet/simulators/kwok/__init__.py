"""kwok: one process per control plane that plays the kubelets of its fake nodes."""
