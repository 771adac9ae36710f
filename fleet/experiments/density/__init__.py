"""The experiment `density`: what N control planes on one machine cost, measured as kplane's bench does."""
