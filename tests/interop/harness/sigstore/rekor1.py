"""A real Rekor v1 on 127.0.0.1 for the throw-away Sigstore: MariaDB, Trillian's log server and signer, Rekor's server.

The only way to what cosign v2 writes of a log: it knows no Rekor v2.  No redis, no search index, no attestation store.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from harness.process import Argument, free_port, run, server, service
from harness.sigstore.stack import REKOR1_NAME, Sigstore

SOCKET = "db.sock"  # relative to the database's directory: the path of a socket may have 107 bytes only
DATABASE = f"--mysql_uri=root@unix({SOCKET})/trillian?parseTime=true&interpolateParams=true"
ENDPOINTS = "getLogInfo,createLogEntry,getLogEntryByIndex,getLogEntryByUUID,getLogProof,getPublicKey,searchLogQuery"
"""All but the search index, which is what Rekor wants redis for."""


@contextmanager
def rekor1(tools: Mapping[str, Path], instance: Sigstore, directory: Path) -> Iterator[str]:
    """The log that the trusted root of `instance` calls rekor1.test, under `directory` (new); its URL."""
    directory.mkdir(parents=True)
    with ExitStack() as running:
        data = running.enter_context(_database(tools, directory))
        trillian = running.enter_context(_log_server(tools, directory, data))
        running.enter_context(_log_signer(tools, directory, data))
        yield running.enter_context(_server(tools, directory, instance, trillian))


@contextmanager
def _database(tools: Mapping[str, Path], directory: Path) -> Iterator[Path]:
    """MariaDB with the tables of Trillian, on a socket alone; its directory."""
    data = directory / "mariadb"
    user = pwd.getpwuid(os.geteuid()).pw_name
    run(
        [
            tools["mariadb-install-db"],
            "--no-defaults",
            f"--datadir={data}",
            f"--user={user}",
            "--skip-test-db",
            "--auth-root-authentication-method=normal",
        ]
    )
    argv: list[Argument] = [
        tools["mariadbd"],
        "--no-defaults",
        f"--datadir={data}",
        f"--user={user}",
        f"--socket={SOCKET}",
        "--skip-networking",
        "--skip-grant-tables",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-buffer-pool-size=32M",
        "--performance-schema=OFF",
    ]
    client: list[Argument] = [tools["mariadb"], "--no-defaults", f"--socket={SOCKET}"]

    def is_up() -> bool:
        asked = subprocess.run([*client, "--execute=select 1"], cwd=data, capture_output=True, check=False)
        return asked.returncode == 0

    with service(argv, is_up=is_up, log=directory / "mariadb.log", cwd=data):
        run([*client, "--execute=create database trillian"], cwd=data)
        run([*client, f"--execute=source {tools['trillian-schema']}", "trillian"], cwd=data)
        yield data


@contextmanager
def _log_server(tools: Mapping[str, Path], directory: Path, data: Path) -> Iterator[int]:
    """Trillian's log server; the port that Rekor speaks to."""
    port, seen = free_port(), free_port()
    argv = [tools["trillian_log_server"], *_trillian(port, seen)]
    with server(argv, ready=f"http://127.0.0.1:{seen}/healthz", log=directory / "trillian.log", cwd=data):
        yield port


@contextmanager
def _log_signer(tools: Mapping[str, Path], directory: Path, data: Path) -> Iterator[None]:
    """What moves entries into the tree, every 50 ms."""
    seen = free_port()
    pace = ["--force_master", "--sequencer_interval=50ms", "--batch_size=100"]
    argv = [tools["trillian_log_signer"], *_trillian(free_port(), seen), *pace]
    with server(argv, ready=f"http://127.0.0.1:{seen}/healthz", log=directory / "signer.log", cwd=data):
        yield


def _trillian(port: int, seen: int) -> list[Argument]:
    return [
        "--quota_system=noop",
        "--storage_system=mysql",
        DATABASE,
        f"--rpc_endpoint=127.0.0.1:{port}",
        f"--http_endpoint=127.0.0.1:{seen}",
        "--logtostderr",
    ]


@contextmanager
def _server(tools: Mapping[str, Path], directory: Path, instance: Sigstore, trillian: int) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    argv: list[Argument] = [
        tools["rekor-server"],
        "serve",
        "--trillian_log_server.address=127.0.0.1",
        f"--trillian_log_server.port={trillian}",
        f"--rekor_server.hostname={REKOR1_NAME}",
        "--rekor_server.address=127.0.0.1",
        f"--port={port}",
        f"--rekor_server.signer={instance.keys}/rekor1-key.pem",
        "--enable_retrieve_api=false",
        f"--enabled_api_endpoints={ENDPOINTS}",
    ]
    with server(argv, ready=f"{url}/api/v1/log", log=directory / "rekor1.log", cwd=directory):
        yield url
