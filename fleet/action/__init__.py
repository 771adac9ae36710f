"""What our Ansible actions that run on the controller do alike."""
