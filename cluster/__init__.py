"""Access to a cluster: its kubeconfig context, its API server, what is installed on it, and which stack owns it."""
