"""The pages about groups: all of them, one, and a new one."""
