"""The gates of time and of people in promote.yaml: freezes, and approvals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from promote.config.section import Duration, Strict, Text
from promote.model.policy import ApprovalPolicy, CronFreeze, DatedFreeze, Freeze


def _is_cron(value: str) -> str:
    from cronsim import CronSim, CronSimError  # noqa: PLC0415 - few files have a freeze

    if len(value.split()) != 5:
        raise ValueError(f"got {value!r}, expected five fields: minute hour day month weekday")
    try:
        CronSim(value, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as problem:
        raise ValueError(f"got {value!r}, expected a cron expression: {problem}") from None
    return value


def _is_zone(value: str) -> str:
    _zone(value)
    return value


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        # A key that is no zone is a KeyError, a directory of zones an OSError, and a path a ValueError.
        raise ValueError(
            f"got {name!r}, expected a time zone such as Europe/Berlin; a machine without any needs tzdata"
        ) from None


def _is_moment(value: str) -> str:
    _moment(value)
    return value


def _moment(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"got {value!r}, expected a day or a time such as 2026-12-24 or '2026-12-24T18:00'") from None


Moment = Annotated[Text, AfterValidator(_is_moment)]
"""An ISO 8601 day or time; without an offset it is one of the window's time zone."""


class FreezeSection(Strict):
    """When nothing is promoted: again and again by `cron` and `for`, or once `from` a time to another."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["cron", "for"]}, {"required": ["from", "to"]}]}
    )

    cron: Annotated[Text, AfterValidator(_is_cron)] | None = Field(
        default=None, description="When it begins: minute, hour, day, month, weekday."
    )
    for_: Duration | None = Field(default=None, alias="for", description="How long it lasts.")
    from_: Moment | None = Field(default=None, alias="from", description="When it begins, once.")
    to: Moment | None = Field(default=None, description="When it ends, once; that moment is outside.")
    tz: Annotated[Text, AfterValidator(_is_zone)] = Field(
        default="UTC", description="Time zone, such as Europe/Berlin."
    )
    reason: Text | None = Field(default=None, description="Said where something is refused for it.")

    @model_validator(mode="after")
    def _is_one_of_two(self) -> FreezeSection:
        by_cron, dated = (self.cron, self.for_), (self.from_, self.to)
        if None in by_cron if dated == (None, None) else by_cron != (None, None) or None in dated:
            raise ValueError("has neither cron and for nor from and to, expected one of the two pairs")
        if self.from_ and self.to and _aware(self.from_, self.tz) >= _aware(self.to, self.tz):
            raise ValueError(f"ends at {self.to}, which is not after {self.from_}")
        return self


class ApprovalsSection(Strict):
    """How many people must have approved a release, by trailers in commits of the branch."""

    count: int = Field(default=1, ge=1, le=20, description="How many different people.")
    by: list[Text] = Field(default=[], description="Mail addresses of those who may approve; default: anybody.")
    signed: bool = Field(default=False, description="Whether only commits count whose signature git verifies.")

    @model_validator(mode="after")
    def _can_be_reached(self) -> ApprovalsSection:
        if self.by and len({address.casefold() for address in self.by}) < self.count:
            raise ValueError(f"wants {self.count} approvals by {len(self.by)} people, which nobody can give")
        return self


def duration(text: str) -> timedelta:
    """``30m``, ``24h``, ``7d``."""
    unit = {"m": "minutes", "h": "hours", "d": "days"}[text[-1]]
    return timedelta(**{unit: int(text[:-1])})


def freeze(section: FreezeSection) -> Freeze:
    """What `section`, which was validated, says."""
    zone = _zone(section.tz)
    if section.cron and section.for_:
        return CronFreeze(section.cron, duration(section.for_), zone, section.reason)
    start, until = _aware(section.from_ or "", section.tz), _aware(section.to or "", section.tz)
    return DatedFreeze(start, until, zone, section.reason)


def approvals(section: ApprovalsSection) -> ApprovalPolicy:
    """What `section` says; addresses are compared without regard to case."""
    return ApprovalPolicy(section.count, tuple(dict.fromkeys(a.casefold() for a in section.by)), section.signed)


def _aware(value: str, zone: str) -> datetime:
    moment = _moment(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=_zone(zone))
