"""From one release of Istio to another: the road of a stack, and what a change of the release means."""
