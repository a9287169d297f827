"""信用评估: evidence of own records and peers' summaries, and the scorecard that weighs it."""
