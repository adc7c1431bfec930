"""The config key `mesh:security`: mutual TLS, authorization and JSON Web Tokens.

As in `mesh.traffic`, each module defines the type of one part of the config and a pure function that generates the
Istio objects for it.
"""
