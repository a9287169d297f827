"""Early-warning signals: found in records or entered by a person, and how their points decay."""
