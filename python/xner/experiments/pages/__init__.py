"""The page of a study: tables, figures, and the HTML around them."""
