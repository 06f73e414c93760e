"""A page made fit to be read: one operation a module, each pure; `digitize.pipeline` has their order."""
