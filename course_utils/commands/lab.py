"""Start JupyterLab at the start page: on this machine only, with a token."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from pathlib import Path
from typing import Any

from course_utils.errors import InputError

__all__ = ["START_PAGE", "address", "main", "options", "serve"]

START_PAGE = "START_HERE.md"
ROOT = Path(__file__).resolve().parents[2]
SETTINGS = Path(__file__).resolve().parent / "jupyter"


def main(arguments: list[str]) -> int:
    """Start JupyterLab and stay until Ctrl-C.

    Raises:
        InputError: if the folder holds no course, or the port is no port.
    """
    parser = argparse.ArgumentParser(prog="python -m course_utils lab", description=main.__doc__)
    parser.add_argument("--port", type=int, default=8888, help="the first port to try (default: 8888)")
    parser.add_argument("--folder", type=Path, default=ROOT, help="the folder of the course")
    parser.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    chosen = parser.parse_args(arguments)
    serve(chosen.folder.resolve(), chosen.port, open_browser=not chosen.no_browser and has_display())
    return 0


def serve(folder: Path, port: int, *, open_browser: bool) -> None:
    """Run a JupyterLab server over ``folder`` until it is stopped.

    Raises:
        InputError: if ``folder`` has no start page, or ``port`` is not from 1 to 65,535.
    """
    if not (folder / START_PAGE).is_file():
        raise InputError(f'"{folder}" has no {START_PAGE}. Start from the folder of the course, or name it: --folder.')
    if not 0 < port < 2**16:
        raise InputError(f"The port is {port}; take one from 1024 to 65535.")
    # Before Jupyter is imported: its paths read these once.
    searched = [str(SETTINGS), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, searched))
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")
    # `python` in a terminal of JupyterLab is this one.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

    from jupyterlab.labapp import LabApp

    print("Starting JupyterLab …", flush=True)
    token = secrets.token_hex(24)
    server = LabApp.initialize_server(argv=options(folder, port, token, open_browser=open_browser))
    if server.port != port:
        print(f"Port {port} is taken; using {server.port}.")
    print(f"\nOpen this address in a browser:\n\n    {address(server.port, token)}\n")
    print("Ctrl-C stops JupyterLab. Save your notebooks first.", flush=True)
    server.start()
    print("JupyterLab has stopped.", flush=True)


def options(folder: Path, port: int, token: str, *, open_browser: bool) -> list[str]:
    """JupyterLab's own options: localhost, token, start page, no questions, no news from the network."""
    values: dict[str, Any] = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.root_dir": folder,
        "ServerApp.open_browser": open_browser,
        "ServerApp.allow_root": is_root(),
        "ServerApp.answer_yes": True,
        "ServerApp.log_level": "WARN",
        "LabApp.log_level": "WARN",
        "IdentityProvider.token": token,
        "LabApp.default_url": f"/lab/tree/{START_PAGE}",
        "LabApp.extension_manager": "readonly",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    return [f"--{name}={value}" for name, value in values.items()]


def address(port: int, token: str) -> str:
    """Where the browser goes, token included."""
    return f"http://127.0.0.1:{port}/lab/tree/{START_PAGE}?token={token}"


def is_root() -> bool:
    """Whether this is root, as in a container; Jupyter wants to be told that this is meant."""
    return getattr(os, "geteuid", lambda: 1)() == 0


def has_display() -> bool:
    """Whether a browser opened from here would be seen by whoever typed the command."""
    if os.environ.get("CI") or os.environ.get("SSH_CONNECTION"):
        return False
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
