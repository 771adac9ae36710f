"""The experiment `node-fidelity`: what the nodes of each sort ask of their API server, at rest and per pod."""
