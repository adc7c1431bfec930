"""A simulated control plane: it answers the webhooks of an istiod whose own program is not at hand, as that istiod
would, by what `mesh/` knows of its release.

It injects sidecars, validates Istio's objects, and writes the `caBundle` of its webhooks. It configures no proxies and
signs no certificates.
"""
