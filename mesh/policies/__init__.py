"""Whether a stack keeps the policies of `mesh.analysis.policies`, at the levels that it has chosen."""
