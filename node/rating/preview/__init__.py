"""What another policy or scale would change in the portfolio, before it is active."""
