"""Merged commits: who really made a change that a merge brought to the branch, and what its message claims."""

from __future__ import annotations

from collections.abc import Iterator

from promote.gitops.history import Commit, Message, messages
from promote.gitops.repository import Repository
from promote.gitops.trailers import parse


class Merged:
    """The commits beside the branch.  Nothing is asked before the first merge, and git is asked once."""

    def __init__(self, repository: Repository, tip: str) -> None:
        self._repository = repository
        self._tip = tip
        self._messages: dict[str, Message] | None = None
        self._branch: frozenset[str] = frozenset()

    def beside(self, merge: Commit) -> Iterator[Message]:
        """Those commits that `merge` brought in and that have trailers of promote, those nearest to it first.

        That is ``git log MERGE^1..MERGE^2`` (and ^3, ...): what is on the branch itself is left out.
        """
        known = self._known()
        waiting, seen = list(merge.parents[1:]), set(merge.parents[1:])
        while waiting:
            oid = waiting.pop(0)
            message = known.get(oid)
            if message is None or oid in self._branch:
                continue
            if message.text:
                yield message
            new = [parent for parent in message.parents if parent not in seen]
            seen.update(new)
            waiting += new

    def _known(self) -> dict[str, Message]:
        if self._messages is None:
            self._messages = {}
            for oid, message in messages(self._repository, self._tip):
                text = message.text if parse(message.text) else ""
                self._messages[oid] = Message(message.parents, message.author, text)
            branch, oid = set[str](), self._tip
            while oid not in branch and (found := self._messages.get(oid)):
                branch.add(oid)
                oid = found.parents[0] if found.parents else ""
            self._branch = frozenset(branch)
        return self._messages
