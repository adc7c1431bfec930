"""The judge of predictions: Istio's pilot and Envoys that answer requests to drawn configs, without a cluster."""
