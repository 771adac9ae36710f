"""Machines of the fleet that are reached over SSH: commands, what they take, how their clocks stand."""
