"""How agents read what a model says: phrases, mentions, answers."""
