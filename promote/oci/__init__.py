"""Image content: a registry and a directory behind one door, and the copy between them."""
