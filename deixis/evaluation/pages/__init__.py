"""HTML pages about runs, and what they may open."""
