"""The dashboards that releases share, and the queries and panels of which those of one release consist, too."""
