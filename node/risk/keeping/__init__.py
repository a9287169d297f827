"""What of the room stays how long, and goes out in an export."""
