"""Every error that leaves a room of promote.

    PromoteError
    ├── Misuse                2   the command line or promote.yaml is wrong
    ├── Fault                 3   could not find out, or could not finish: network, registry, disk, git transport
    │   └── CredentialsFault  4   credentials are missing or were refused
    └── Refusal               *   the answer is no; the exit code comes with the reason (10 to 16)
        ├── Superseded        5   somebody else's promotion of the same app and environment landed first
        └── NothingChanged    6   nothing changed, and --require-change was given

Each carries a stable `code`, one sentence, what was expected and what was got where there is such a pair, and a hint
that can be run or done.  A foreign exception never leaves the room that called the foreign code.
"""

from __future__ import annotations


class PromoteError(Exception):
    """The base of the tree.  `message` is one sentence; `hint` names what to do next; by default to read of `code`."""

    exit_code = 1

    def __init__(
        self,
        code: str,
        message: str,
        *,
        expected: str | None = None,
        actual: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.expected = expected
        self.actual = actual
        self.hint = hint or f"promote explain {code}"


class Misuse(PromoteError):
    """The command line or the configuration is wrong.  Nothing was asked of anybody."""

    exit_code = 2


class Fault(PromoteError):
    """Promote could not find out, or could not finish.  Nothing is half visible; the same command may be run again."""

    exit_code = 3


class CredentialsFault(Fault):
    """A registry or git server wants credentials that are missing, or refused those it was given."""

    exit_code = 4


class Refusal(PromoteError):
    """The answer is no.  `exit_code` is that of the gate that refused (design, section 3)."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        exit_code: int,
        expected: str | None = None,
        actual: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(code, message, expected=expected, actual=actual, hint=hint)
        self.exit_code = exit_code


class Superseded(Refusal):
    """Somebody else's promotion of the same app and environment landed while this one ran."""

    def __init__(self, message: str, *, expected: str | None = None, actual: str | None = None) -> None:
        super().__init__(
            "superseded",
            message,
            exit_code=5,
            expected=expected,
            actual=actual,
            hint="look at what landed with `git log -1`, then promote again if this release should still win",
        )


class NothingChanged(Refusal):
    """Nothing changed although a change was required."""

    def __init__(self, message: str) -> None:
        super().__init__(
            "nothing-changed", message, exit_code=6, hint="leave --require-change away where no change is fine"
        )
