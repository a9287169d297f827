"""The thirteen rules (R1-R13) and what follows from all of them."""
