"""What decides what is installed, in the names of IstioOperator and of Istio's charts."""
