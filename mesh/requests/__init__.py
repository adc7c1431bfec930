"""Evaluates how a mesh handles HTTP requests, from its objects alone and without a cluster.

`Evaluator` takes the index of `mesh.analysis.mesh` and evaluates a request from outside or from a workload, one hop at
a time, the way istiod of the mesh's release would configure the proxies. Outcomes are plain values, so that those of
two meshes can be compared.
"""
