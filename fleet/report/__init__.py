"""What people read of a run: made from its folder alone, with no cluster."""
