"""What stands between the server and a view: requests, headers, proxies, and how bodies are waited for."""
