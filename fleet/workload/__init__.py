"""What the driver puts into the WDS: policies by layout, objects by kind, and when each write is due. All pure."""
