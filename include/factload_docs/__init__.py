"""`make docs`: the parts of the documentation that are made of the code, so that they can't go stale."""
