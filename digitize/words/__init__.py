"""What Vietnamese official prose looks like, and words put right by it."""
