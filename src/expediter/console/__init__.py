"""What a browser sees: pages, and pictures drawn as SVG in Python."""
