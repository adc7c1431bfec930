"""`make bench`: measures this project and its alternatives on a separate embedded cluster."""
