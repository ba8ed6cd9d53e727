"""May they, and who must agree: rights, policies and the requests that wait for people. Knows nothing it governs."""
