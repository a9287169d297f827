"""What another risk policy would change: statuses and alerts over the portfolio."""
