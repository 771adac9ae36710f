"""The image of a kind node, built from Debian's packages and our own static programs where no registry can be reached.

`ensure` builds it on the controller into the cache, named by everything that decides what is in it; `published` is
kind's own.
"""

from fleet.node_image.build import NodeImage, ensure, find, published

__all__ = ["NodeImage", "ensure", "find", "published"]
