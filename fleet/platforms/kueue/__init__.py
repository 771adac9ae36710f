"""Kueue v0.17.0: quota-based admission of pods and jobs, in one WEC."""
