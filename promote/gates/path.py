"""The target environment may be promoted into from the source environment."""

from __future__ import annotations

from promote.model.environment import Environment
from promote.model.verdict import Reason, Verdict, passed, refused

GATE = "path"


def judge(source: Environment, target: Environment) -> Verdict:
    """Pass when the target lists the source in its `from`."""
    if source.name in target.promoted_from:
        return passed(GATE, f"{target.name} may be promoted from {source.name}")
    allowed = ", ".join(target.promoted_from)
    return refused(
        GATE,
        Reason.PATH_NOT_ALLOWED,
        f"{target.name} may not be promoted from {source.name}",
        expected=f"from {allowed}" if allowed else f"nothing: {target.name} has no `from`",
        actual=source.name,
        hint=f"add {source.name} to environments.{target.name}.from in promote.yaml, if that is what you want",
    )
