"""What became of ratings: by grade, and of those that a person made otherwise."""
