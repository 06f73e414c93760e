"""Pictures of text become words: Tesseract, and what is asked again where it was unsure."""
