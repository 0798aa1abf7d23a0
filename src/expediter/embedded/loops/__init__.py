"""Work in the background: alerts, health, retention, traces, the recorder of the flow."""
