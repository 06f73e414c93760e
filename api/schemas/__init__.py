"""What crosses the HTTP edge, in and out, one module for each of `api.routes`; pydantic lives nowhere else.

Everything a person reads comes in both languages from `dossiers.labels`.
"""
