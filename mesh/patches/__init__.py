"""`mesh:patches`: changes to objects of a stack for which there is no setting."""
