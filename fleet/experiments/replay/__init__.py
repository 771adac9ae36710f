"""A trace of pods played again, and how true the replay was."""
