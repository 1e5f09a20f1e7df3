"""The parts of build.py. Standard library only: this runs before anything is installed."""


class BuildError(Exception):
    """A failure that is no bug of ours; its text is one sentence saying what to do."""
