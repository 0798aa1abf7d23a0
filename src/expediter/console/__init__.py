"""The console for browsers: pages, and pictures drawn as SVG in Python."""
