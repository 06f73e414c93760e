"""The counter's own computer: takes scans from a folder or a scanner, and sends them. Standard library only."""
