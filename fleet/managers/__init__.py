"""Multi-cluster managers: one package each, and how the testbed sees any of them."""
