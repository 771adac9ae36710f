"""The kinds of control planes that `density` weighs, one module each."""
