"""What the player can do to an object, one module per kind of action; `registry` lists them."""
