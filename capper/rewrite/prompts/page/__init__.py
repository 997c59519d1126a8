"""Pages: their boxes and runs of text, the role of each, and the cuts."""
