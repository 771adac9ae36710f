"""A run while it goes on: its page on loopback and its view in the terminal, by a process alongside the driver."""
