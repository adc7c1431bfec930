"""Asking a cluster's API server: which cluster, how to reach it, what is on it, and whose it is."""
