"""Start and stop the embedded account, and tell the AWS SDK where it is."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from infra.local import hooks
from monitors.errors import LocalAccountError

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 15.0
ACCOUNT_ID = "123456789012"
REGION = "us-east-1"


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalAccount:
    """A running embedded account."""

    port: int
    pid: int
    folder: str

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """What an AWS SDK needs to talk to this account and to nothing else."""
        return {
            "AWS_ACCESS_KEY_ID": ACCOUNT_ID,
            "AWS_SECRET_ACCESS_KEY": "embedded",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def tick(self, now_s: float) -> int:
        """Have every alarm evaluated as at a moment (epoch seconds); how many changed state."""
        changed: int = self.control("tick", now=now_s)["changed"]
        return changed

    def load_history(self, *, end_s: float, days: int = 14, seed: int = 7) -> dict[str, Any]:
        """Put generated history into the account; how many datapoints, log events and trace documents."""
        return self.control("history", account=ACCOUNT_ID, region=REGION, end_s=end_s, days=days, seed=seed)

    def control(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Call one of the account's own controls."""
        request = urllib.request.Request(  # noqa: S310 - the address is our own
            f"{self.endpoint}/_lookout/{name}", data=json.dumps(arguments).encode(), method="POST"
        )
        with _direct().open(request, timeout=120) as response:
            answer: dict[str, Any] = json.load(response)
        return answer


@contextlib.contextmanager
def local_account(*, port: int = 0) -> Iterator[LocalAccount]:
    """An embedded account for the time of a `with` block; on any free port unless one is asked for.

    Raises:
        LocalAccountError: the port is taken, the extra `local` is missing, or the account does not start.
    """
    process, account = start(port=port)
    try:
        yield account
    finally:
        _end(process)
        shutil.rmtree(account.folder, ignore_errors=True)


def start(*, port: int = 0, detached: bool = False) -> tuple[subprocess.Popen[bytes], LocalAccount]:
    """Start the account's process and wait until it answers. The caller ends it."""
    hooks.installed()
    listener = _listen(port)
    folder = Path(tempfile.mkdtemp(prefix="lookout-local-"))
    chosen = listener.getsockname()[1]
    with listener, (folder / "server.log").open("w+b") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "infra.local.server", "--fd", str(listener.fileno())),
                *("--folder", str(folder), *(["--detached"] if detached else [])),
            ],
            env=_clean_environment(folder, chosen),
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        account = LocalAccount(port=chosen, pid=process.pid, folder=str(folder))
        try:
            _wait(process, account, log)
        except BaseException:
            _end(process)
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return process, account


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OverflowError as error:
        listener.close()
        raise LocalAccountError(
            f"{port} is no port: choose one up to 65535 with --port, or 0 for any free one"
        ) from error
    except OSError as error:
        listener.close()
        raise LocalAccountError(
            f"port {port} of 127.0.0.1 is taken ({error.strerror}): choose another with --port, or 0 for any free one"
        ) from error
    listener.listen(128)
    listener.set_inheritable(True)
    return listener


def _clean_environment(folder: Path, port: int) -> dict[str, str]:
    """Nothing of the caller's AWS settings, proxies or Python settings: they would leak into every function."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT") if name in os.environ}
    root = str(Path(__file__).resolve().parents[2])
    return kept | {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_EC2_METADATA_DISABLED": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "HOME": str(folder),
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
        "MINISTACK_REGION": REGION,
        "PYTHONPATH": root,
        "TMPDIR": str(folder),
    }


def _wait(process: subprocess.Popen[bytes], account: LocalAccount, log: BinaryIO) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        if answers(account):
            return
        time.sleep(0.05)
    # The process removes its folder when it ends; what it said can still be read here.
    log.seek(0)
    said = "\n".join(log.read().decode(errors="replace").splitlines()[-15:])
    raise LocalAccountError(f"the embedded account does not start:\n{said or 'it said nothing'}")


def answers(account: LocalAccount) -> bool:
    """Whether the account is up."""
    try:
        with _direct().open(f"{account.endpoint}/_ministack/health", timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _direct() -> urllib.request.OpenerDirector:
    """Opens addresses of this machine without any proxy."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the account to stop by closing its standard input; insist if it doesn't."""
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(timeout=STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def save(account: LocalAccount) -> None:
    """Remember a detached account, for `lookout local status` and `down`."""
    # Written under a name that nobody can foresee, then renamed: in a folder of everybody's, a link may lie in wait.
    handle, draft = tempfile.mkstemp(prefix="lookout-local-", suffix=".json")
    with os.fdopen(handle, "w") as file:
        json.dump(asdict(account), file)
    Path(draft).replace(_state_file())


def saved() -> LocalAccount | None:
    """The detached account started last, if it still answers. What another user left there is not believed."""
    path = _state_file()
    try:
        if path.lstat().st_uid != os.getuid():
            return None
        account = LocalAccount(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return account if answers(account) else None


def forget() -> None:
    """Forget the remembered account."""
    _state_file().unlink(missing_ok=True)


def _state_file() -> Path:
    return Path(tempfile.gettempdir()) / f"lookout-local-{os.getuid()}.json"
