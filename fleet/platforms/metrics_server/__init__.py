"""metrics-server as a platform: usage of nodes and pods behind the aggregated API, so that autoscalers work."""
