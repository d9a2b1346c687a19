"""Which way labels take to the target sentences of a recipe: a module a way, and a line in `catalogue`."""
