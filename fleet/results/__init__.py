"""The run folder: what a run leaves behind, in formats that outlive the code."""
