"""Mail about requests, and what people choose to be told."""
