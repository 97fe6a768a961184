"""Roles as a stack file has them."""

MODELS = "recognizer: crf, committee: [scripted:a], voter: scripted:a, expander: scripted:a, "
MODELS += "templater: scripted:a"
ALL_ROLES = f"{{{MODELS}, detector: centerface, reader: rapidocr, segmenter: grabcut}}"
