"""The pages that belong to no workflow: home, history, errors, health."""
