"""What everything rests on: files, pictures, boxes, masks, URLs; no models."""
