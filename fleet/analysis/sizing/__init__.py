"""What a fleet takes that is not built yet: observations of runs, lines through them, and what follows (`fleet plan`)."""
