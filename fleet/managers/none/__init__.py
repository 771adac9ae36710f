"""No manager at all: the driver writes every object to its WEC itself."""
