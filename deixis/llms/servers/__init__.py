"""How servers of language models are asked, and what their faults mean."""
