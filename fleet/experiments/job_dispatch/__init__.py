"""Jobs of a hub, each dispatched to one of many workers: throughput, and latency of each."""
