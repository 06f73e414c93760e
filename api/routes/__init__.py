"""The JSON API, one module a noun. A route is find, check, one call."""
