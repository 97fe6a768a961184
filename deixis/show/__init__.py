"""What a result looks like, and what other tools take it as: drawings, pages, detections."""
