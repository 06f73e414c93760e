"""Where things are kept: PostgreSQL for what the office knows, an S3 server for the bytes."""
