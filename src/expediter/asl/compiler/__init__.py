"""Makes a machine of the text of a definition. All faults of a definition are found here, each with its place."""
