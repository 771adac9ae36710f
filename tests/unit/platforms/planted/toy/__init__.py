"""The smallest platform: a ConfigMap, a file and a program that sleeps."""
