"""The Pulumi components of the mesh, one module each."""
