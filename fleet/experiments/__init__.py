"""The experiments, a module each: the fields of its file, its points, how it measures one, where it can be done."""
