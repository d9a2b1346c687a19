"""Groups of options that commands share, and what they say of runs."""
