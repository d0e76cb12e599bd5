"""Since when the target has what was asked for, told where there was nothing to do."""

from __future__ import annotations

from promote.promotion.planned import Plan
from promote.promotion.workplace import Workplace


def tell(workplace: Workplace, plan: Plan) -> None:
    """Tell the observer, for each release of `plan`, since which commit and when the target runs it.

    Nothing is told where no record says so: no overlays, or a shallow clone.  Raises `Fault`.
    """
    from promote.insight.records import records  # noqa: PLC0415 - history is read only where nothing else was to do

    declared, target = plan.declared, plan.request.target
    if declared is None:
        return
    wanted = {planned.app.name: planned.release.digest for planned in plan.releases if planned.release is not None}
    for record in records(
        declared.git,
        declared.tip,
        declared.configuration,
        environments=[target.name],
        apps=list(wanted),
        now=workplace.now,
    ):
        if wanted.get(record.app) == record.digest and wanted.pop(record.app, None) is not None:
            when = f"{record.when:%Y-%m-%d %H:%M} UTC"
            workplace.observer.step("since", f"{record.app} in {target.name}: commit {record.commit[:12]}, {when}")
        if not wanted:
            break
