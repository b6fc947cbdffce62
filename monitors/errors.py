"""The kinds of error a user can act on. The command line prints them as `error: ...`; anything else is a bug."""


class LookoutError(Exception):
    """Something the user can put right; the message says how."""


class SettingsError(LookoutError):
    """A mistake in lookout.toml: file, key, what was found, what is allowed."""


class InputError(LookoutError):
    """A file or argument that cannot be used: where, what is wrong, what would do."""


class PatternError(InputError):
    """A CloudWatch Logs filter pattern AWS would refuse, with AWS's reason."""


class AwsError(LookoutError):
    """An AWS call that failed: the call, its target, AWS's own words, the missing permission."""


class LocalAccountError(LookoutError):
    """The embedded account cannot start or answer: a taken port, another ministack, a missing extra."""
