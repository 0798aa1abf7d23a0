"""Definitions as people keep them: from a file to a state machine, and from a fault back to its place in the file.

``values`` reads JSON and YAML, ``templates`` what CloudFormation fills in, ``sources`` finds the state machines, and
``places`` the line of a fault, among the ``nodes`` of the text. ``json_faults`` and ``template_texts`` know
the places in JSON and in a template's text.
"""
