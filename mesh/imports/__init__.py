"""Imports an installation of Istio's own tools, from an IstioOperator or Helm values, as a stack's config.

`reading` reads files, `operators` and `charts` bring them into the form of an IstioOperator's `spec`, `layers` and
`fitting` translate that into config, `pruning` leaves what differs from the profile, and `writing` makes a file of it.
"""
