"""What a trace can be made from, one module per kind; `registry` lists them."""
