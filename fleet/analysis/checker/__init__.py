"""The checker: rules that the history of every run must keep, whatever was done to the fleet meanwhile. Pure."""
