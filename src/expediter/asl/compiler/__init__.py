"""From the text of a definition to a machine: faults are found here, all of them, with their places."""
