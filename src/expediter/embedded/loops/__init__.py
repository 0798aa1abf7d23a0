"""What runs by itself in the background: alerts, retention, traces, the recorder of the flow."""
