"""PDF in and PDF out: scans that come as PDF, and the searchable PDF/A that is made."""
