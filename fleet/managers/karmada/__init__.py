"""Karmada 1.16: a control plane of its own, with agents in the WECs (pull) or without (push)."""
