"""What a fleet takes that is not built yet (`fleet plan`): observations of runs, lines through them, what follows."""
