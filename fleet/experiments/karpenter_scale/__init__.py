"""karpenter-scale: Karpenter's own performance suite on simulated nodes, with the latency of every phase."""
