"""KubeFleet 0.14 (go.goms.io/fleet): a hub agent at the hub, and a member agent for every WEC."""
