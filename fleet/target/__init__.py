"""What a machine of the fleet is sent before anything can run there: Python packages and the toolchain, as archives."""
