"""The office: its words, its states, its decisions. Knows no web, no SQL, no object store."""
