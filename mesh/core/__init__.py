"""What everything else in `mesh` builds on: typed values, messages, and names that Istio and Kubernetes fix."""
