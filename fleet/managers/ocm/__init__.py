"""Open Cluster Management: its hub, the agents of WECs, and how a WEC becomes and ceases to be a member."""
