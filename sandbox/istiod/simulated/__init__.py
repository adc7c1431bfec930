"""A simulated control plane. It answers the webhooks of an istiod whose own program is not available, in the same way
as that istiod, with the knowledge of its release in `mesh/`.

It injects sidecars, validates Istio's objects, and writes the `caBundle` of its webhooks. It configures no proxies and
signs no certificates.
"""
