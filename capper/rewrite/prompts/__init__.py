"""Credit nobody asked for, cut from bodies of every kind: what a piece is to those around it, and what goes."""
