"""The driver `dense`: many control planes in one process over one etcd."""
