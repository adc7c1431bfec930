"""What the addons of several releases share."""
