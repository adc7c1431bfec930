"""What several releases share and nothing else needs."""
