"""The Pulumi policy pack with the policies of `mesh.analysis.policies`, which `make policy` also runs."""
