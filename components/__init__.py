"""What Pulumi deploys: one module for each component of the mesh."""
