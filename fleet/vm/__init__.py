"""Virtual machines for a fleet on one machine: QEMU with KVM or plain emulation, each reached over SSH on loopback."""
