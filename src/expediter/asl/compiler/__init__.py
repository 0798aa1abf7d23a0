"""From the text of a definition to a machine. All faults of a definition are found here, each with its place."""
