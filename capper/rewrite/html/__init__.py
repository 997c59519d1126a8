"""Pages: where their ads stand, how far each reaches, and what is put in its place."""
