"""`/metrics`: what the processes of this machine have counted, and how the installation stands, for Prometheus."""
