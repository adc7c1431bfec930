"""The config key `mesh:traffic`, and the Istio objects that are generated from it.

Each module defines the type of one part of the config and a pure function that generates the Istio objects for it;
`components/traffic.py` registers them with Pulumi.
"""
