"""Static analysis of a mesh: what is wrong with a stack's objects, before any of them is on a cluster.

`mesh.Mesh` is the index of the objects, `analyse.analyse` runs the rules of `rules/` on it, `codes.CODES` is what they
can find. Nothing here asks a cluster, and equal objects have equal findings.
"""
