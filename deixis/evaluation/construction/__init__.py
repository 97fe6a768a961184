"""Making data sets as the papers made theirs: rows in, rows out."""
