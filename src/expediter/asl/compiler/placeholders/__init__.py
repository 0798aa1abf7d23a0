"""``${Name}`` in a definition: a place that SAM, CloudFormation or the Serverless Framework fills at deployment.

AWS never gets one, so it has no rule for them. ``names`` finds and replaces them. ``stand_ins`` has what a definition
is checked and run with as long as they have no value.
"""
