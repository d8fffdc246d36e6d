"""What the process that reads a workbook raises of its own."""


class Refused(Exception):
    """The sheet exceeds the limit of this name."""


class PasswordError(Exception):
    """The workbook is protected by a password."""
