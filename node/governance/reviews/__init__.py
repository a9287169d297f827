"""Periodic review (定期评估改进): a calendar, a pack of figures, actions, a report to print."""
