"""`mesh:patches`: what changes objects of a stack where no setting says it."""
