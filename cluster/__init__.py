"""Asking a Kubernetes cluster: which one, what stands on it, and whose it is."""
