"""A throw-away Sigstore on 127.0.0.1: the real Fulcio, Rekor v2 and time stamp authority, with keys of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.process import Argument, alone, free_port, run, server
from harness.sigstore import github_oidc, pki
from harness.sigstore.ct_log import ct_log

FULCIO_CONFIG = Path(__file__).parent / "fulcio.yaml"

# The trusted root speaks of names and not of ports.  sigstore-go takes the origin of a log's checkpoints from the host
# of the log's URL there, so Rekor is told to call itself by this name.
REKOR_NAME = "rekor.test"
REKOR1_NAME = "rekor1.test"
SINCE = "start-time=2026-01-01T00:00:00Z"
OPERATOR = "operator=sigstore.test"


@dataclass(frozen=True, slots=True)
class Sigstore:
    """A running instance.  `trusted_root` is whom verifiers trust, `signing_config` tells cosign where to sign.

    `fulcio` and `timestamps` are URLs, for a cosign that takes those.  The root has the key of a Rekor v1 too, which
    runs only while `harness.sigstore.rekor1` does.
    """

    trusted_root: Path
    signing_config: Path
    keys: Path
    fulcio: str
    timestamps: str

    def token(self, repository: str, commit: str, workflow: str = "build.yml", ref: str = "refs/heads/main") -> str:
        """A GitHub token for cosign's ``--identity-token``; `repository` is ``owner/name``."""
        return github_oidc.mint(self.keys, repository=repository, commit=commit, workflow=workflow, ref=ref)


@contextmanager
def sigstore(tools: Mapping[str, Path], directory: Path) -> Iterator[Sigstore]:
    """Start everything, keep it while the block runs, end it; all files are under `directory`."""
    keys = directory / "keys"
    pki.make(keys)
    with ExitStack() as running:
        proxy = running.enter_context(github_oidc.issuer(keys))
        ct_url = running.enter_context(ct_log(keys))
        fulcio = running.enter_context(_fulcio(tools, directory, keys, proxy, ct_url))
        rekor = running.enter_context(_rekor(tools, directory, keys))
        timestamps = running.enter_context(_timestamp_server(tools, directory, keys))
        instance = Sigstore(
            trusted_root=directory / "trusted_root.json",
            signing_config=directory / "signing_config.json",
            keys=keys,
            fulcio=fulcio,
            timestamps=timestamps,
        )
        _describe_trust(tools, instance)
        _describe_services(tools, instance, rekor)
        _use_up_first_entry(tools, instance)
        yield instance


@contextmanager
def _fulcio(tools: Mapping[str, Path], directory: Path, keys: Path, proxy: int, ct_url: str) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    argv: list[Argument] = [
        tools["fulcio"],
        "serve",
        "--host=127.0.0.1",
        f"--port={port}",
        "--grpc-host=127.0.0.1",
        f"--grpc-port={free_port()}",
        f"--metrics-port={free_port()}",
        "--ca=fileca",
        f"--fileca-cert={keys}/fulcio-chain.pem",
        f"--fileca-key={keys}/fulcio-key.pem",
        f"--fileca-key-passwd={pki.FULCIO_PASSWORD}",
        "--fileca-watch=false",
        f"--config-path={FULCIO_CONFIG}",
        "--legacy-unix-domain-socket=fulcio.sock",  # relative: the path of a socket may have 107 bytes only
        f"--ct-log-url={ct_url}",
        f"--ct-log-public-key-path={keys}/ct-pub.pem",
    ]
    env = {
        "HTTPS_PROXY": f"http://127.0.0.1:{proxy}",
        "NO_PROXY": "127.0.0.1",
        "SSL_CERT_FILE": str(keys / "issuer-ca.pem"),
    }
    with server(argv, ready=f"{url}/healthz", log=directory / "fulcio.log", cwd=directory, env=env):
        yield url


@contextmanager
def _rekor(tools: Mapping[str, Path], directory: Path, keys: Path) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    argv: list[Argument] = [
        tools["rekor-server-posix"],
        "serve",
        "--http-address=127.0.0.1",
        f"--http-port={port}",
        "--grpc-address=127.0.0.1",
        f"--grpc-port={free_port()}",
        f"--http-metrics-port={free_port()}",
        f"--hostname={REKOR_NAME}",
        f"--storage-dir={directory}/rekor",
        f"--signer-filepath={keys}/rekor-key.pem",
        "--checkpoint-interval=100ms",
        "--batch-max-age=20ms",
        "--batch-max-size=1",
    ]
    with server(argv, ready=f"{url}/healthz", log=directory / "rekor.log", cwd=directory):
        yield url


@contextmanager
def _timestamp_server(tools: Mapping[str, Path], directory: Path, keys: Path) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    argv: list[Argument] = [
        tools["timestamp-server"],
        "serve",
        "--host=127.0.0.1",
        f"--port={port}",
        "--timestamp-signer=file",
        f"--file-signer-key-path={keys}/tsa-key.pem",
        f"--certificate-chain-path={keys}/tsa-chain.pem",
        "--disable-ntp-monitoring",
    ]
    # Its metrics have a fixed port (2112), so that a machine can run one only.
    lock = tools["timestamp-server"].with_suffix(".lock")
    with alone(lock), server(argv, ready=f"{url}/ping", log=directory / "tsa.log", cwd=directory):
        yield f"{url}/api/v1/timestamp"


def _describe_trust(tools: Mapping[str, Path], instance: Sigstore) -> None:
    keys = instance.keys
    run(
        [
            tools["cosign"],
            "trusted-root",
            "create",
            f"--fulcio=url=https://fulcio.test,certificate-chain={keys}/fulcio-chain.pem",
            f"--rekor=url=https://{REKOR_NAME},public-key={keys}/rekor-pub.pem,{SINCE},origin={REKOR_NAME}",
            f"--rekor=url=https://{REKOR1_NAME},public-key={keys}/rekor1-pub.pem,{SINCE}",
            f"--ctfe=url=https://ct.test,public-key={keys}/ct-pub.pem,{SINCE}",
            f"--tsa=url=https://tsa.test/api/v1/timestamp,certificate-chain={keys}/tsa-chain.pem",
            f"--out={instance.trusted_root}",
        ]
    )


def _describe_services(tools: Mapping[str, Path], instance: Sigstore, rekor: str) -> None:
    run(
        [
            tools["cosign"],
            "signing-config",
            "create",
            f"--fulcio=url={instance.fulcio},api-version=1,{SINCE},{OPERATOR}",
            f"--rekor=url={rekor},api-version=2,{SINCE},{OPERATOR}",
            "--rekor-config=ANY",
            f"--oidc-provider=url={github_oidc.ISSUER},api-version=1,{SINCE},{OPERATOR}",
            f"--tsa=url={instance.timestamps},api-version=1,{SINCE},{OPERATOR}",
            "--tsa-config=ANY",
            f"--out={instance.signing_config}",
        ]
    )


def _use_up_first_entry(tools: Mapping[str, Path], instance: Sigstore) -> None:
    """Log something, so that no image is entry 0: an index that Go's JSON leaves out and other verifiers then miss."""
    run(
        [
            tools["cosign"],
            "sign-blob",
            "--yes",
            f"--identity-token={instance.token('acme/first', '0' * 40)}",
            f"--signing-config={instance.signing_config}",
            f"--trusted-root={instance.trusted_root}",
            f"--bundle={instance.keys}/first-entry.sigstore.json",
            FULCIO_CONFIG,
        ]
    )
