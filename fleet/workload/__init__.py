"""What the driver puts into a source: policies by layout, objects by kind, and when each write is due. All pure."""
