"""Upgrades to another release of Istio: the steps of a stack, and what changes in meaning."""
