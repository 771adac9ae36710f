"""The upstream programs and CRDs: built from pinned Go modules into a content-addressed cache, checked before use.

A builder calls `ensure`; everyone else `locate` (raises `ToolchainMissing`), or `supplied` for a user's own programs.
"""

from fleet.toolchain.ensure import ensure
from fleet.toolchain.progress import BuildProgress
from fleet.toolchain.store import Toolchain, ToolchainMissing, locate
from fleet.toolchain.supplied import supplied

__all__ = ["BuildProgress", "Toolchain", "ToolchainMissing", "ensure", "locate", "supplied"]
