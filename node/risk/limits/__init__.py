"""Credit limits (信用额度): permanent, temporary, of a group; and what stops a customer."""
