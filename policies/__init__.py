"""The policy pack: what a mesh must not have, as rules that Pulumi runs, or `make policy`."""
