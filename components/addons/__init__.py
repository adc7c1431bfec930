"""The addons Prometheus, Jaeger, Loki, Grafana and Kiali, one module each; `install` lists them."""
