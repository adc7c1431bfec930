"""`make parity`: compares a stack's objects with those of another installation, field by field."""
