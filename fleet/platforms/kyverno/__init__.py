"""Kyverno: its admission, background and reports controllers as processes, reached by the API server at loopback."""
