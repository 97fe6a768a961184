"""Every error a user of Deixis can meet: one type for each reaction, one base class.

DeixisError
├── InputError          the picture or the text cannot be used: give another one
├── DataError           a data file does not parse: mend the file at the line named
├── SettingsError       a stack, a role, an option or a prompt is wrong: mend the setting
├── MissingExtraError   an optional package is not installed: run the pip line it names
├── MissingKeyError     a provider's key is not set: set the variable it names
├── ModelFileError      weights cannot be found, fetched or verified
├── CacheMissError      a recorded run lacks an answer: record it, or let models be asked
├── ToolError           a tool failed on one sample: the graph turns it into a warning
└── ModelCallError      a language model could not answer: the graph turns it into an abstention

The last two never leave the graph. All messages are one line: what, where, what to do.
"""


class DeixisError(Exception):
    """Base of all errors that Deixis raises on purpose."""


class InputError(DeixisError):
    """The picture or the text given cannot be used."""


class DataError(DeixisError, ValueError):
    """A data file does not parse; the message names the file and the line."""


class SettingsError(DeixisError):
    """A stack, role, option, schema or prompt is wrong."""


class MissingExtraError(DeixisError, ImportError):
    """An optional package is not installed.

    Args:
        package: the distribution that is missing, as on PyPI.
        extra: the extra of Deixis that brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        self.package = package
        self.extra = extra
        super().__init__(
            f'{package} is not installed; run: python -m pip install "deixis[{extra}]"'
        )

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        """Be pickled with both names: an error may come from another process."""
        return type(self), (self.package, self.extra)


class MissingKeyError(DeixisError):
    """A provider needs a key that is not in the environment."""


class ModelFileError(DeixisError):
    """Model weights cannot be found, fetched or verified."""


class CacheMissError(DeixisError):
    """A recorded run lacks an answer: nothing was asked, and the run cannot go on as recorded."""


class ToolError(DeixisError):
    """A tool (detector, reader, segmenter, ...) failed on one picture or text."""


class ModelCallError(DeixisError):
    """A language model could not be reached or gave no usable answer.

    Args:
        status: ``failed``, ``refused``, ``truncated``, ``empty`` or ``invalid``.
        message: what happened, in one line.
    """

    def __init__(self, status: str, message: str) -> None:
        self.status = status
        super().__init__(message)

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        """Be pickled with status and message."""
        return type(self), (self.status, str(self))
