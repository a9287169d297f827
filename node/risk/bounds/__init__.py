"""What bounds many customers, and how much of it is used: for the daily run."""
