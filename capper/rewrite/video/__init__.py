"""Video players' answers: their ads, where wrappers lead, and the XML they are written in."""
