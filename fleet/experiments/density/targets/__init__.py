"""The kinds of control planes that `density` measures, one module each."""
