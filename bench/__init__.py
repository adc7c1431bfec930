"""`make bench`: measures this project beside its alternatives, on an embedded cluster of its own."""
