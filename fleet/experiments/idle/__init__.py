"""The experiment `idle`: what a fleet takes at rest, by program."""
