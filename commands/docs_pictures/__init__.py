"""`make docs-pictures`: makes the pictures of the docs, from recordings of real runs and from the examples."""
