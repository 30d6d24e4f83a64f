"""Metrics for Prometheus: counted in plain numbers, put together when somebody asks for them."""
