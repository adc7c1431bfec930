"""The addons Prometheus, Jaeger, Grafana and Kiali, one module each; `install` lists them."""
