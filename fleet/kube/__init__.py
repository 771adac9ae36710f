"""Everything that talks to an API server: client, reflector, kubeconfig, resources, a fake server with failpoints."""
