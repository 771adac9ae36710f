"""What a user or a playbook writes and the rest reads: the fleet file and the experiment file."""
