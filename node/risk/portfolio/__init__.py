"""The portfolio as a whole: by customer, group, industry, country, grade, and its limits."""
