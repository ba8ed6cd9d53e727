"""Whether what was answered is what the database holds, and what the faults cost."""
