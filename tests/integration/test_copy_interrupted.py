"""Ctrl-C and SIGTERM while a copy waits for a registry: it ends at once, says how to go on, and nothing is visible."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest
from support.git_world import isolate
from support.gitops_repo import TAG, make, serve
from support.registry_server import Answer, Hook, RegistryServer, Request

WAITS = 50
"""Seconds that the registry asks for; whoever waited for them runs into the test's limit."""


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


def paused(reached: threading.Event) -> Hook:
    """Asks everybody to come back later, from the first upload of a blob on."""

    def hook(request: Request) -> Answer | None:
        if request.method != "PUT" or "/blobs/" not in request.target:
            return None
        reached.set()
        return Answer(429, {"Retry-After": str(WAITS)})

    return hook


@pytest.mark.parametrize("apps", [("shop",), ("shop", "web")], ids=["one", "two at once"])
@pytest.mark.parametrize(
    "sent", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.exhaustive)], ids=lambda s: s.name
)
def test_a_copy_that_waits_ends_when_it_is_told_to_and_is_finished_by_the_next_run(tmp_path, sent, apps):
    reached, wanted = threading.Event(), [f"{app}={TAG}" for app in apps]
    with RegistryServer() as staging, RegistryServer() as prod:
        repo = make(tmp_path, apps=apps, staging=serve(staging, apps=apps), prod=prod.address)
        prod.faults = [paused(reached)]
        command = [sys.executable, "-m", "promote", "staging->prod", *wanted]
        running = subprocess.Popen(command, cwd=repo.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            assert reached.wait(30)
            running.send_signal(sent)
            _, err = running.communicate(timeout=WAITS - 10)
        finally:
            running.kill()
            running.wait()
        assert running.returncode == 130
        assert b"nothing is half visible, run the same command again" in err
        assert b"Traceback" not in err
        assert not any(TAG in prod.repository(f"acme/{app}").tags for app in apps)
        assert repo.promotions() == []
        prod.faults = []
        assert repo.promote(*wanted).code == 0
        assert all(TAG in prod.repository(f"acme/{app}").tags for app in apps)
