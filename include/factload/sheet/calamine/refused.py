"""What the process that reads a workbook raises where it comes to a bound."""


class Refused(Exception):
    """The sheet exceeds the limit of this name."""
