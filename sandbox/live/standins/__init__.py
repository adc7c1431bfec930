"""Small stand-ins for Bookinfo's four services, all in one process. They answer like the application's containers, with
other texts."""
