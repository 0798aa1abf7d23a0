"""JSONata: what Step Functions adds to the language, and the bounds of each evaluation."""
