"""Small stand-ins for Bookinfo's four services, all in one process: what the application's own containers would
answer, in other words and with less effort."""
