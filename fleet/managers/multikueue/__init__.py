"""MultiKueue (Kueue v0.17.0): Jobs of a hub dispatched to one of many workers, each with a Kueue of its own."""
