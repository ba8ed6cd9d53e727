"""Traces by OpenTelemetry: what takes spans, and where requests begin. Imported only where traces go anywhere."""
