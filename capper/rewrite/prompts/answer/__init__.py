"""Answers in JSON: the role of each value, and the cuts."""
