"""What the faces share: problem answers, bounded bodies, the bearer check, templates."""
