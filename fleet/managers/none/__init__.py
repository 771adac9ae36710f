"""No manager: control planes alone."""
