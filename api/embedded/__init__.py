"""The servers a single machine brings along: PostgreSQL and an S3 server."""
