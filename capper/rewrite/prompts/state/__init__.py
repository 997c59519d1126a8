"""The state a page carries for its scripts: JSON, literals of JavaScript, either of them in strings, attributes and calls."""
