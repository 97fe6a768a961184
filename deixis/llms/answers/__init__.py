"""What a reply says: its text, how it ended, how sure the model was."""
