"""From a scan to a searchable PDF/A: pages cleaned, turned upright, read in Vietnamese, put together."""
