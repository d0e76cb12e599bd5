"""Shells as a person has them: one line run by bash, zsh or fish, and what zsh and fish complete at a prompt."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.process import run
from support.terminal import open_terminal, read_until

WITHOUT_STARTUP = {"bash": ("--norc", "--noprofile"), "zsh": ("-f",), "fish": ("--no-config",)}
"""For each shell the options with which it reads nothing of whoever runs the tests."""
SCRIPT = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
"""With this the completion script of a named shell is printed, instead of that of the shell around."""

# `compadd` is what every completion of zsh ends in: the words that it is given and that match are kept.  Control-X
# keeps the line as it then stands.  What is waited for is written in two parts, so that its echo is not taken for it.
ZSH = r"""
unset zle_bracketed_paste
autoload -Uz compinit && compinit -D -u
source <(promote --show-completion zsh)
compadd() {
  if (( ${@[(I)-(O|A|D)*]} == 0 )); then
    local -a matching; builtin compadd -O matching "$@"; print -rl -- $matching >> $OFFERED
  fi
  builtin compadd "$@"
}
keep() { print -rn -- "$BUFFER" > $TYPED; BUFFER=; zle -I; print kept'-it'; }
zle -N keep && bindkey '^X' keep
print set'-up'
"""


@dataclass(frozen=True, slots=True)
class Completed:
    """The line after the tabulator, and the words that were offered, in the shell's order."""

    line: str
    offered: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shells:
    """The shells by name, and the environment that they have; files go to `directory`."""

    tools: Mapping[str, Path]
    environment: Mapping[str, str]
    directory: Path

    def run(self, shell: str, line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run one line, without a terminal."""
        return subprocess.run(
            [self.tools[shell], *WITHOUT_STARTUP[shell], "-c", line],
            cwd=cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def fish(self, line: str, cwd: Path) -> tuple[str, ...]:
        """What fish offers at the end of `line`, without the descriptions."""
        script = "promote --show-completion fish | source; complete -C $argv[1]"
        argv = [self.tools["fish"], *WITHOUT_STARTUP["fish"], "-c", script, line]
        printed = run(argv, cwd=cwd, env={**self.environment, **SCRIPT})
        return tuple(row.partition("\t")[0] for row in printed.splitlines())

    def zsh(self, line: str, cwd: Path) -> Completed:
        """What becomes of `line` when it is typed at a prompt of zsh and the tabulator is pressed once."""
        setup, offered, typed = (self.directory / name for name in ("setup.zsh", "offered", "typed"))
        setup.write_text(ZSH)
        offered.write_text("")
        env = {**self.environment, **SCRIPT, "TERM": "dumb", "PS1": "> ", "OFFERED": str(offered), "TYPED": str(typed)}
        ours, theirs = open_terminal(200)
        shell = subprocess.Popen(
            [self.tools["zsh"], *WITHOUT_STARTUP["zsh"], "-i"],
            cwd=cwd,
            env=env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        try:
            os.write(ours, f"source {setup}\n".encode())
            read_until(ours, lambda shown: "set-up" in shown)
            os.write(ours, f"{line}\t\x18".encode())
            read_until(ours, lambda shown: "kept-it" in shown)
        finally:
            shell.kill()
            shell.wait()
            os.close(ours)
        words = tuple(filter(None, offered.read_text().splitlines()))
        return Completed(typed.read_text(), words)
