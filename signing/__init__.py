"""From a PDF to evidence, and from evidence to a verdict."""
