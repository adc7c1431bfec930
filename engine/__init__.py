"""Everything that touches the Pulumi engine or the internals of its SDK: state, hooks, transformations, patches."""
