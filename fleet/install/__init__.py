"""Brings control planes of a machine, and what must exist inside them, to what a fleet needs."""
