"""A fake API server: real HTTP on loopback, objects in memory, watches, faults on demand."""
