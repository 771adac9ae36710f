"""The `fleet` command: thin, and the only place that prints or exits."""

from __future__ import annotations


def main() -> int:
    """Run the command line of this process; the exit code."""
    from fleet.cli.program import main as run

    return run()
