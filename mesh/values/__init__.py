"""Installation settings, with the names of IstioOperator and of Istio's Helm charts."""
