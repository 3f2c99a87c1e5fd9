"""The one exception that means "your input, not our bug"."""


class InputError(ValueError):
    """Bad input: the message says what was got, what was expected and what to do.

    The entry points print it without a traceback and exit with code 2.
    """
