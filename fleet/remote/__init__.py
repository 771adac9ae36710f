"""Machines of the fleet that are reached over SSH: commands, what they weigh, how their clocks stand."""
