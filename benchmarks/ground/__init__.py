"""What is measured on: Organizations with bots, many more keys, and servers as in production."""
