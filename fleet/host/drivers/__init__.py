"""Drivers of control planes: one package for each way of running them on a machine."""
