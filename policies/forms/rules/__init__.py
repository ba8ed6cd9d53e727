"""What people type about the rules of a policy: one rule, and the draft that is asked for."""
