"""KubeStellar on Open Cluster Management: spaces, controllers, and the status agent."""
