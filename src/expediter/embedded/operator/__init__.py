"""What operators do and see on one machine: services, erasing, export, the read-only view, metrics."""
