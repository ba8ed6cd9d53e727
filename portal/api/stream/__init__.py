"""The same protocol as a stream: frames of WebSocket v2, by which a bot hears of prices and of its own Account."""
