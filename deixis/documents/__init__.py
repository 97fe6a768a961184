"""Documents of many pages as posts: their texts, their pictures, and where both stand."""
