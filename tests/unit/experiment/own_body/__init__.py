"""An experiment with a body of its own, as a package that `fleet.experiments` finds while a test asks it to."""
