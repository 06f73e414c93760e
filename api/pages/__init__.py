"""The doors people come in by: HTML from the server, one module for each kind of person.

A page does what the API does, through the same use cases; here stands only how it looks and what it asks for.
"""
