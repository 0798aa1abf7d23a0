"""Monitoring: alarms, the dashboard and traces."""
