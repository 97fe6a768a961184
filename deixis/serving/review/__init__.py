"""Review: people accept or correct a file of results, row by row, and their gold is kept."""
