"""What `manage.py doctor` looks at: each module has one subject, and says what was found and what to do."""
