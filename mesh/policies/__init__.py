"""Policies that a mesh may be held to, beyond what Istio itself demands."""
