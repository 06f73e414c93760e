"""Every way in: the browser, JSON, a job, the command line."""
