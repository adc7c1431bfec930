"""What an upgrade to another release of Istio changes in the meaning of a stack, or of a cluster's own objects."""
