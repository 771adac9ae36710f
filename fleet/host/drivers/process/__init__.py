"""The driver `process`: a process for each component of a control plane."""
