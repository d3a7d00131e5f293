"""One operation."""


class Row:
    """An operation, a function that calls it and returns True when it did what it says, and functions that provoke its
    errors, by code. Each function is given a `World`, and makes there what it needs."""

    def __init__(self, operation, happy, **errors):
        self.operation, self.happy, self.errors = operation, happy, errors
