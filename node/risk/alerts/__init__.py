"""Alerts: one a customer and cause, with its source and evidence."""
