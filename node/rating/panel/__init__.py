"""Models side by side: what each says of one customer on one day, beside the expert scorecard."""
