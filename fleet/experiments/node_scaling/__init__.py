"""The experiment `node-scaling`: how many simulated nodes one control plane carries, and what gives way first."""
