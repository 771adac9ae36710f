"""Two kinds of nodes in each WEC: `wec_hollow_nodes` of its `wec_nodes` are hollow, kwok plays the others."""
