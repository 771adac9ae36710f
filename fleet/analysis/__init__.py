"""From recorded events to latencies with their error: pure, it never touches a cluster."""
