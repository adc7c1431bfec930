"""Static analysis: finds mistakes in a stack's objects before any of them is on a cluster.

`mesh.Mesh` indexes the objects, `analyse.analyse` runs the rules of `rules/` on that index, and `codes.CODES` lists
what they can find. The analysis never asks a cluster, and the same objects always give the same findings.
"""
