"""A stack's config: its types, reading and validating it, and compiling it into Istio's objects."""
