"""Pictures drawn as SVG: the graph of a workflow, and plots."""
