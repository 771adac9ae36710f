"""The manager's programs at the hub are replaced while objects go on being created: what that costs those objects."""
