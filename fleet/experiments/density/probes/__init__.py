"""What a control plane can do, asked of two of them: a cheap one that lacks controllers is seen to lack them."""
