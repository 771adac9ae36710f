"""What a user or a playbook writes and the rest reads: variables, the fleet file, the experiment file."""
