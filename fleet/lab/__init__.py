"""Machines for a fleet on one machine: network namespaces with a bridge between them, each reached over real SSH."""
