"""ConfigMaps that are created and filled: the smallest experiment with marks, a quantity, a table and a section."""
