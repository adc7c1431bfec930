"""What happens to requests: the answer of a mesh's objects to a request, without a cluster.

`Evaluator` takes the index of `mesh.analysis.mesh` and answers requests from outside or from a workload, one hop
at a time, as Istio 1.10's pilot would configure the proxies. Answers are plain values: two meshes can be compared.
"""
