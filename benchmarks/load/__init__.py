"""The load generator: connections that are kept, requests that were signed beforehand, answers that are all checked."""
