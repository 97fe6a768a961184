"""Whether what a text names is shown in a picture, judged by a description of the picture."""
