"""The experiment `node-scrape`: what it costs to read nodes through their API server, and directly."""
