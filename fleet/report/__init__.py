"""What people read of a run: made from its folder alone, with no cluster."""

from fleet.report.render import render

__all__ = ["render"]
