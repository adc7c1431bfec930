"""Istio's releases, each in a folder of its own."""
