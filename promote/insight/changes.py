"""Changes: what each commit did to what the overlays pin, newest first, read no further than somebody asks."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from promote.gitops.history import (
    Commit,
    FileChange,
    above,
    commits,
    contents,
    covering,
    files_at,
    horizon,
    is_ordinary,
)
from promote.gitops.repository import Repository
from promote.insight.layout import Layout, Slot, Where, earlier, layout
from promote.insight.outside import outside
from promote.insight.overlay_state import Files, State, Template, read_states
from promote.model.configuration import Configuration
from promote.overlays.kustomize import FILE_NAMES

_FIRST_BATCH = 64
_LARGEST_BATCH = 1024
_MOST_LOGS = 12
"""So often history is read for chosen paths; whoever moves things about more often makes it read for all."""


@dataclass(frozen=True, slots=True)
class Change:
    """What `commit` did to one slot, whose overlay was at `where` then.  `older` is the date of the commit before.

    `before` has a problem when what was there cannot be read as far back as history goes.
    """

    slot: Slot
    where: Where
    commit: Commit
    older: datetime | None
    before: State
    after: State


@dataclass(slots=True)
class _Waiting:
    """A change in the order of commits; None in it until it is known, or while there is none."""

    change: Change
    known: bool = True
    dropped: bool = False


class Walk:
    """The way back from `tip` along first parents; go it once.

    Overlays are followed when a commit moves them and says so in promote.yaml (`configuration.path`); a change of
    promote.yaml alone is none.  Files outside an overlay (components, values, fields) are followed where it reads them,
    or asks for them: what it read before a commit that made it read others is looked at from that commit on.
    """

    def __init__(
        self,
        repository: Repository,
        tip: str,
        configuration: Configuration,
        environments: Collection[str],
        apps: Collection[str],
    ) -> None:
        self._repository = repository
        self._configuration = configuration
        self._tip = tip
        name = configuration.path.name
        self._file = f"{repository.prefix}/{name}" if repository.prefix else name
        self._boundary = horizon(repository)
        self._blobs: dict[str, bytes] = {}
        self._templates: dict[str, Template] = {}
        self._readers: dict[str, set[str]] = defaultdict(set)
        self._waiting: deque[_Waiting] = deque()
        self._held: dict[Slot, _Waiting] = {}
        self.parsed = 0
        """How many times the pins of an overlay were parsed."""
        self.ends_at: str | None = None
        """Where a shallow history ended, once the walk came there."""
        self.layout: Layout = layout(configuration, repository.prefix, environments, apps)
        """Where every slot is, as far back as the walk came; at first, at the tip."""
        self._watched = set(self.layout)
        self._states: dict[Slot, State] = {}
        self._logs = 0
        self._stream = self._log(tip, ())  # git goes back through history while the tip is read here
        self._begin(tip, {where.directory for where in self.layout.values()})
        self.at_tip: Mapping[Slot, State] = dict(self._states)
        """What every slot pins at the tip."""

    def forget(self, slot: Slot) -> None:
        """Look no further for this slot; when none is left the walk ends."""
        self._watched.discard(slot)
        held = self._held.pop(slot, None)
        if held is not None:
            held.known = held.dropped = True

    def changes(self) -> Iterator[Change]:
        """Every change of a slot that is not forgotten, in the order of commits, newest first.

        Where an overlay could not be read for a while, the commit that mended it is what changed it, against what was
        there before it broke; and it is told when that is known.  Raises `Fault`.
        """
        tip: str | None = self._tip
        try:
            while tip is not None and self._watched:
                tip = yield from self._until_moved(tip)
        finally:
            self._stream.close()
        yield from (w.change for w in self._waiting if not w.dropped and w.change.slot in self._watched)

    def _begin(self, commit: str, directories: Collection[str]) -> None:
        """Take the files of `commit` for those that are looked at, and read what is pinned in `directories`."""
        listed = list(files_at(self._repository, commit, [""]))
        special = {path for mode, _, path in listed if not is_ordinary(mode)}
        self._files = Files({path: oid for mode, oid, path in listed if is_ordinary(mode)}, special, self._blob)
        self._members: dict[str, dict[Slot, Where]] = defaultdict(dict)
        for slot, where in self.layout.items():
            self._members[where.directory][slot] = where
        likely = (self._files.oid(f"{d}/{name}" if d else name) for d in directories for name in FILE_NAMES)
        self._fetch(oid for oid in likely if oid is not None)
        for directory in directories:
            self._states |= self._read(directory)

    def _until_moved(self, tip: str) -> Generator[Change, None, str | None]:
        """The changes from `tip` on; returns the commit to go on from where what has to be looked at is elsewhere."""
        beside = outside(self._readers, self._members)
        if not all(map(self._is_told, beside)):
            self._stream.close()
            self._stream = self._log(tip, beside)
        stream, size = _with_older(self._stream), _FIRST_BATCH
        while self._watched and (batch := list(islice(stream, size))):
            size = min(size * 2, _LARGEST_BATCH)
            self._blobs.clear()
            self._fetch(self._wanted(commit for commit, _ in batch))
            for commit, older in batch:
                if commit.oid in self._boundary:
                    self.ends_at = commit.oid
                    return None
                has_moved = self._undo(commit, older)
                yield from self._known()
                if has_moved:
                    self._stream.close()
                    self._stream = self._log(commit.parents[0], outside(self._readers, self._members))
                    return commit.parents[0]
        return None

    def _log(self, tip: str, beside: Collection[str]) -> Generator[Commit, None, None]:
        """History from `tip` on, of promote.yaml, of the overlays, and of what lies `beside` them and they read."""
        chosen = {self._file, *beside, *(where.directory for where in self.layout.values())}
        paths = sorted(chosen) if self._logs < _MOST_LOGS else [""]
        self._logs += 1
        self._told = frozenset(covering(paths)) or frozenset({""})
        return commits(self._repository, tip, paths)

    def _is_told(self, path: str) -> bool:
        """Whether the history that is read tells what became of `path`."""
        return not self._told.isdisjoint(above(path))

    def _known(self) -> Iterator[Change]:
        """The changes that wait for nothing any more, in order."""
        while self._waiting and self._waiting[0].known:
            waiting = self._waiting.popleft()
            if not waiting.dropped and waiting.change.slot in self._watched:
                yield waiting.change

    def _undo(self, commit: Commit, older: datetime | None) -> bool:
        """Go back before `commit`; says whether what counts was elsewhere then: its parent has to be looked at."""
        touched: dict[str, list[FileChange]] = defaultdict(list)
        configured: FileChange | None = None
        for file in commit.files:
            for directory in self._touched(file):
                touched[directory].append(file)
            if file.path == self._file:
                configured = file
        for file in commit.files:
            self._files.apply(file.path, file.before)
        newer, before = self.layout, dict[Slot, State]()
        has_moved = bool(commit.parents) and configured is not None and self._is_elsewhere(configured)
        if has_moved:
            moved = {w.directory for slot, w in self.layout.items() if w != newer[slot]}
            self._begin_quietly(commit.parents[0], moved, before)
        strayed = self._reread(touched, before)
        if strayed and not has_moved and commit.parents:
            has_moved = True
            self._begin_quietly(commit.parents[0], strayed, before)
        for slot, state in before.items():
            if slot in self._watched:
                self._compare(Change(slot, newer[slot], commit, older, state, self._states[slot]))
            self._states[slot] = state
        return has_moved

    def _reread(self, touched: Mapping[str, list[FileChange]], before: dict[Slot, State]) -> set[str]:
        """Put what is pinned in `touched` into `before`, where it is not known; the directories where it may be wrong.

        That is where a file counts of which the history that is read does not tell: it is as the tip had it, and not as
        it was.  So it goes with a component that was renamed, or left since for another one.
        """
        strayed: set[str] = set()
        for directory, files in touched.items():
            if any(slot in self._watched for slot in self._members.get(directory, ())):
                self._files.asked.clear()
                for slot, state in self._quickly(directory, files).items():
                    before.setdefault(slot, state)
                if not all(map(self._is_told, outside(self._files.asked, self._members))):
                    strayed.add(directory)
        return strayed

    def _begin_quietly(self, commit: str, directories: Collection[str], before: dict[Slot, State]) -> None:
        """As `_begin`, with what is pinned put into `before` and the states left as they are."""
        states, self._states = self._states, {}
        self._begin(commit, directories)
        before |= self._states
        self._states = states

    def _compare(self, change: Change) -> None:
        """Put `change` into the queue if it is one."""
        slot, before, after = change.slot, change.before, change.after
        if before.pins == after.pins and before.problem == after.problem:
            return
        held = self._held.get(slot)
        if held is None:
            self._waiting.append(waiting := _Waiting(change, known=before.problem is None))
            if before.problem is not None:
                self._held[slot] = waiting
        elif before.problem is None:
            held.change = replace(held.change, before=before)
            held.known, held.dropped = True, held.change.after.pins == before.pins
            del self._held[slot]

    def _touched(self, file: FileChange) -> set[str]:
        """The overlays that `file` can make a difference to: they read it, or it is not there any more to be read."""
        directories = self._readers.get(file.path, set())
        if file.after is None:
            directories = directories.union(d for d in above(file.path) if d in self._members)
        return directories

    def _is_elsewhere(self, file: FileChange) -> bool:
        """Whether promote.yaml before a commit put some slot elsewhere; then `layout` is that of before."""
        if file.before is None:
            return False
        content, now = self._blob(file.before), self._blob(file.after) if file.after else b""
        if set(content.split(b"\n")) <= set(now.split(b"\n")):
            return False  # lines were only added: apps and environments that are new, which were nowhere before
        found = earlier(self.layout, self._configuration, self._repository.prefix, content)
        has_moved, self.layout = found != self.layout, found
        return has_moved

    def _quickly(self, directory: str, files: list[FileChange]) -> dict[Slot, State]:
        """What is pinned in `directory` now that `files` were put back; by its template where that fits."""
        template = self._templates.get(directory)
        if template is not None and len(files) == 1 and files[0].path == template.path and files[0].before is not None:
            state = template.match(self._blob(files[0].before))
            if state is not None:
                return {template.slot: state}
        return self._read(directory)

    def _read(self, directory: str) -> dict[Slot, State]:
        self.parsed += 1
        self._files.asked.clear()
        states, template = read_states(self._files, directory, self._members[directory])
        for path in self._files.asked:
            self._readers[path].add(directory)
        self._templates.pop(directory, None)
        if template is not None:
            self._templates[directory] = template
        return states

    def _wanted(self, batch: Iterable[Commit]) -> Iterator[str]:
        """The contents that going back through `batch` will most likely need."""
        for commit in batch:
            for file in commit.files:
                readers = self._readers.get(file.path, ())
                if file.before and any(s in self._watched for d in readers for s in self._members.get(d, ())):
                    yield file.before

    def _fetch(self, oids: Iterable[str]) -> None:
        self._blobs.update(contents(self._repository, oids))

    def _blob(self, oid: str) -> bytes:
        content = self._blobs.get(oid)
        if content is None:
            content = self._blobs[oid] = self._repository.objects.read(oid, "blob")
        return content


def _with_older(stream: Iterator[Commit]) -> Iterator[tuple[Commit, datetime | None]]:
    """Each commit with the date of the next one, which is older by its place and should be by its date."""
    newer = next(stream, None)
    while newer is not None:
        older = next(stream, None)
        yield newer, older.when if older else None
        newer = older
