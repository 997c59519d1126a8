"""What capper is about, free of I/O: ads, caps, windows, policies and decisions. Standard library only; `now` is a parameter."""
