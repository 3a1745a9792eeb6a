"""What went wrong in a training: looks at it, rules over their history, named findings."""
