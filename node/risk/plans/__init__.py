"""Action plans: what somebody does about a customer by a day, and what came of it."""
