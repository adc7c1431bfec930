"""Basics of `mesh`: validated types, error messages, and names that are fixed by Istio and Kubernetes."""
