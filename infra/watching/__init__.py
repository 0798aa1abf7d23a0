"""What is watched: alarms with the dashboard, and traces."""
