"""信用评估: evidence of own records and of peers' summaries, and the scorecard that weighs it, with reasons."""
