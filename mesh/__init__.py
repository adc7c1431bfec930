"""The model of a mesh in plain Python. It needs no Pulumi, no cluster, and no other package of this project."""
