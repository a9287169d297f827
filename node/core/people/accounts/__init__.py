"""Accounts of people: passwords, a second factor, sessions, and what slows guessing."""
