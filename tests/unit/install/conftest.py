"""The fake hub of the managers' tests serves here too."""

from tests.unit.managers.conftest import hub, server

__all__ = ["hub", "server"]
