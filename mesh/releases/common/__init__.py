"""What several releases have in common. Only the folders of releases import it."""
