"""What is known about a mesh, in plain Python: no Pulumi, no cluster, and no other part of this project."""
