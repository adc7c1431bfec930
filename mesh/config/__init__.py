"""A stack's config: its types, how it is read, and the objects that it becomes."""
