"""A user's own load, step by step."""
