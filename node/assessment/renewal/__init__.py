"""The queue of customers whose assessment rests on what has changed since."""
