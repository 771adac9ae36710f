"""admission-latency: what policies add to the latency of creating a pod, against a baseline in the same run."""
