"""Duties (职责分工): roles, tiers, deputies, and whose roles or acts stand against each other."""
