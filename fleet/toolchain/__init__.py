"""The upstream programs and CRDs: built from pinned Go modules into a content-addressed cache, checked before use.

A builder calls `ensure`; everyone else `locate` (raises `ToolchainMissing`), or `supplied` for a user's own programs.
Both take what is needed alongside what every fleet needs, such as `manager:ocm` (`needs_of` of a fleet's variables).
"""

from fleet.toolchain.ensure import ensure
from fleet.toolchain.needs import needs_of
from fleet.toolchain.progress import BuildProgress
from fleet.toolchain.store import Part, Toolchain, ToolchainMissing, built, locate
from fleet.toolchain.supplied import supplied

__all__ = [
    "BuildProgress",
    "Part",
    "Toolchain",
    "ToolchainMissing",
    "built",
    "ensure",
    "locate",
    "needs_of",
    "supplied",
]
