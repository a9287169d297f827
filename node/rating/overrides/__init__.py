"""Grades that a person gives in the place of the scale's, for a time and with a reason."""
