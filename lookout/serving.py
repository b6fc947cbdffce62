"""A folder of pages, served on this machine only, and drawn anew again and again."""

import contextlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from monitors.errors import InputError

HOST = "127.0.0.1"


class _Handler(SimpleHTTPRequestHandler):
    """Files of one folder; pages come again by themselves."""

    def __init__(self, *arguments: Any, every_s: int, **more: Any) -> None:
        self.every_s = every_s
        super().__init__(*arguments, **more)

    def send_head(self) -> Any:
        """Only to who asks for this machine: a page from elsewhere could give its own name this address."""
        if self.headers.get("Host", "").rpartition(":")[0] not in (HOST, "localhost"):
            self.send_error(403)
            return None
        return super().send_head()

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        if self.path.partition("?")[0].endswith((".html", "/")):
            self.send_header("Refresh", str(self.every_s))
        super().end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  # the base class's name for it
        """Say nothing: the terminal is for what is drawn."""

    def list_directory(self, path: Any) -> None:
        del path
        self.send_error(404)


@contextlib.contextmanager
def serving(folder: Path, *, port: int, every_s: int) -> Iterator[str]:
    """The address of the folder's pages, each of which the browser loads again after `every_s`.

    Port 0 is any that is free. InputError if it is taken.
    """
    handler = partial(_Handler, directory=str(folder), every_s=every_s)
    try:
        server = ThreadingHTTPServer((HOST, port), handler)
    except OSError as error:
        raise InputError(
            f"port {port} of {HOST}: {error.strerror}: choose another with --port, or 0 for any"
        ) from error
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
