"""The HTTP face of a node: operator's API, peers' routes and console, mounted into one app."""
