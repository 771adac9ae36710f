"""Names of what a run of node-scrape writes down."""

from __future__ import annotations

SCRAPE = "scrape"
"""Operation of the requests, and the stage that is made of them: due, answered."""
ALONE = "scrapers=0"
"""The point of the load alone."""
SERVER_CPU = "CPU of the API server"
NODE_CPU = "CPU of the nodes"
BYTES = "bytes that scrapers got"
SECONDS = "length of the window"
