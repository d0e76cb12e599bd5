"""What a shell is offered of a promote.yaml that nobody has checked: plain names, nothing that a shell would read."""

from __future__ import annotations

import contextlib
import io
import signal
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from promote.cli.main import run

SIGNS = " $`\\\"'();|&<*?[]{}!#~\n\t\x1b"


def offered(work: Path, shell: str, line: str) -> str:
    """What promote prints for a shell that asks in `work`."""
    printed, before = io.StringIO(), signal.getsignal(signal.SIGTERM)
    words = line.split(" ")
    variables = {
        "_PROMOTE_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "COMP_WORDS": "\n".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.chdir(work),
        contextlib.redirect_stdout(printed),
        contextlib.suppress(SystemExit),
    ):
        for name, value in variables.items():
            patch.setenv(name, value)
        run([])
    signal.signal(signal.SIGTERM, before)
    return printed.getvalue()


NAME = st.builds("p{}{}".format, st.text(st.sampled_from(SIGNS + "ab"), max_size=6), st.sampled_from(SIGNS))


@settings(max_examples=4, deadline=None)
@given(st.lists(NAME, min_size=10, max_size=40, unique=True))
def test_no_name_with_a_sign_of_the_shell_is_offered(tmp_path_factory: pytest.TempPathFactory, names: list[str]):
    work = tmp_path_factory.mktemp("foreign")
    others = {name: {"registry": "oci:b", "from": ["place", name]} for name in names}
    apps = {name: {"image": "acme/web"} for name in (*names, "web")}
    value = {"version": 1, "apps": apps, "environments": {"place": {"registry": "oci:a"}, **others}}
    (work / "promote.yaml").write_text(yaml.safe_dump(value))
    assert offered(work, "bash", "promote verify p") == "place\n"
    assert offered(work, "fish", "promote verify p") == "place\n"
    assert offered(work, "zsh", "promote verify p") == """_arguments '*: :(("place"))'\n"""
    assert offered(work, "fish", "promote --from place --to place ") == "web\n"
    assert offered(work, "fish", "promote place:p").strip() == ""
