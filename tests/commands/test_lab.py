"""JupyterLab as `make lab` starts it: localhost, token, start page, another port when the first is taken."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from course_utils.commands import lab
from course_utils.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


class Server:
    """The real command in a process of its own, its output gathered."""

    def __init__(self, folder: Path, port: int, home: Path) -> None:
        quiet = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "DISPLAY"))}
        command = ["-m", "course_utils", "lab", "--port", str(port), "--folder", str(folder)]
        self.process = subprocess.Popen(
            [sys.executable, *command],
            env=quiet | {"HOME": str(home), "JUPYTER_RUNTIME_DIR": str(home / "runtime")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # a shell starts what it runs in the background with SIGINT ignored, and children inherit that
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)

    def address(self) -> re.Match:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(r"(http://127\.0\.0\.1:(\d+))(/\S*)\?token=(\w+)", "".join(self.lines))
            if found and self._answers(found[1]):
                return found
            time.sleep(0.1)
        raise AssertionError("JupyterLab did not start:\n" + "".join(self.lines))

    @staticmethod
    def _answers(base: str) -> bool:
        try:
            urllib.request.urlopen(f"{base}/login", timeout=5).close()
        except OSError:
            return False
        return True

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()


@pytest.fixture
def course(tmp_path):
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / lab.START_PAGE).write_text("# Start\n")
    return folder


def get(address: str) -> dict:
    with urllib.request.urlopen(address, timeout=20) as answer:
        return json.load(answer)


def test_a_taken_port_is_said_and_another_taken(course, tmp_path):
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", 0))
        occupied.listen()
        port = occupied.getsockname()[1]
        server = Server(course, port, tmp_path)
        try:
            base, other, path, token = server.address().groups()
            assert int(other) != port
            assert f"Port {port} is taken; using {other}." in "".join(server.lines)
            assert path == f"/lab/tree/{lab.START_PAGE}"

            with pytest.raises(urllib.error.HTTPError, match="403"):
                get(f"{base}/api/contents")
            names = [entry["name"] for entry in get(f"{base}/api/contents?token={token}")["content"]]
            assert names == [lab.START_PAGE]

            kernels = get(f"{base}/api/kernelspecs?token={token}")
            assert kernels["default"] == "python3"
            viewers = get(f"{base}/lab/api/settings/@jupyterlab/docmanager-extension:plugin?token={token}")
            default = viewers["schema"]["properties"]["defaultViewers"]["default"]
            assert default == {"markdown": "Markdown Preview"}
        finally:
            status = server.stop()
        assert status == 0, "".join(server.lines)
        assert "JupyterLab has stopped." in "".join(server.lines)


def test_the_server_listens_on_this_machine_only_and_keeps_its_token():
    given = lab.options(Path("/course"), 8888, "secret", open_browser=False)
    assert "--ServerApp.ip=127.0.0.1" in given
    assert "--IdentityProvider.token=secret" in given
    assert "--ServerApp.answer_yes=True" in given
    assert f"--ServerApp.allow_root={lab.is_root()}" in given


def test_a_folder_without_the_course_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"has no START_HERE\.md"):
        lab.main(["--folder", str(tmp_path)])


@pytest.mark.parametrize("port", [0, 70_000])
def test_a_port_that_is_none_is_refused(course, port):
    with pytest.raises(InputError, match="take one from 1024 to 65535"):
        lab.main(["--folder", str(course), "--port", str(port)])


def test_no_browser_is_opened_where_nobody_would_see_it(monkeypatch):
    for name in ("CI", "SSH_CONNECTION", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(lab.sys, "platform", "linux")
    assert not lab.has_display()
    monkeypatch.setenv("DISPLAY", ":0")
    assert lab.has_display()
    monkeypatch.setenv("SSH_CONNECTION", "there")
    assert not lab.has_display()


def test_links_of_the_start_page_lead_somewhere():
    links = re.findall(r"\]\(([^)]+\.ipynb)\)", (ROOT / lab.START_PAGE).read_text(encoding="utf-8"))
    assert "notebooks/01_gaussian_maximum_likelihood.ipynb" in links
    assert "exercises/01_gaussian_maximum_likelihood.ipynb" in links
    assert [link for link in links if not (ROOT / link).is_file()] == []
