"""What a built fleet consists of: its programs and their endpoints, the fleet file, and monitoring of them."""
