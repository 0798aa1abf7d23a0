"""What operators do and see: their actions with the audit, dead letters, erasing, export, the money's check, traces."""
