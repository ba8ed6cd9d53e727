"""Whether a member is who they say: shown, looked at by a colleague, judged (DESIGN M3)."""
