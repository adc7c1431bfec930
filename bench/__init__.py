"""How long things take: this project side by side with what users would pick instead, on an embedded cluster."""
