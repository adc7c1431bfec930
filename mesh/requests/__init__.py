"""Evaluates how a mesh handles HTTP requests, from its objects alone and without a cluster.

`Evaluator` takes the index of `mesh.analysis.mesh` and evaluates a request from outside or from a workload, one hop at
a time, as proxies handle it that istiod of the mesh's release configures. Outcomes are plain values, so the outcomes of
two meshes can be compared.
"""
