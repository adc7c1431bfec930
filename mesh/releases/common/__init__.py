"""What several releases of Istio share. Only the folders of releases import this package."""
