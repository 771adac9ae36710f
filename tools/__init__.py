"""What keeps the documentation true; no part of the installed package."""
