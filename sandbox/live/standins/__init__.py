"""Small stand-ins for workloads, all in one process. Those for Bookinfo's four services answer like the application's
containers, with other texts."""
