"""The HTTP faces of a node: the operator's API, the peers' routes mounted into one app, and the console for people."""
