"""A team's own services, `mesh:apps`: the objects of its files, checked and in the order of their creation."""
