"""The cases, an area or operation a file."""
