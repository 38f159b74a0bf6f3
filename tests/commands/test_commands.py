"""The commands: what make offers, what the command line says to a wrong word, what the doctor finds."""

import errno
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils import __main__ as commands
from course_utils.commands import doctor
from course_utils.commands import test as selftest
from course_utils.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
COMMANDS = commands.commands()
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(*arguments: str, folder: Path = ROOT, **variables: str) -> subprocess.CompletedProcess:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=clean | variables, capture_output=True, text=True, timeout=120
    )


def course(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "course_utils", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@needs_make
def test_help_lists_every_target():
    listed = set(re.findall(r"^  ([a-z-]+) ", make().stdout, flags=re.MULTILINE))
    phony = set(re.search(r"^\.PHONY: (.+)$", MAKEFILE, flags=re.MULTILINE)[1].split())
    assert listed == phony
    assert {"lab", "test", "test-full", "run", "execute", "seeds", "stale", "release", "data", "slides"} <= listed
    assert set(commands.commands()) - {"grade"} <= listed


def test_every_command_leads_to_a_function_of_this_package():
    assert {"lab", "test", "run", "execute", "seeds", "stale", "release", "grade", "new", "pages"} <= set(COMMANDS)
    for name in COMMANDS:
        code = (ROOT / "course_utils" / "commands" / f"{name}.py").read_text(encoding="utf-8")
        assert re.search(r"^def main\(arguments: list\[str\]\) -> int:", code, flags=re.MULTILINE), name


def test_a_command_says_in_a_line_what_it_does():
    for name, text in COMMANDS.items():
        assert re.fullmatch(r"[A-Z][^`]+\.", text), (name, text)
        assert len(text) <= 110, (name, text)


def test_a_new_file_is_a_new_command(tmp_path, monkeypatch):
    (tmp_path / "commands").mkdir()
    (tmp_path / "commands" / "greet.py").write_text('"""Say hello.\n\nAnd more."""\nraise ImportError\n')
    (tmp_path / "commands" / "__init__.py").write_text("")
    monkeypatch.setattr(commands, "__file__", str(tmp_path / "__main__.py"))
    assert commands.commands() == {"greet": "Say hello."}


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)], ids=" ".join)
def test_help_needs_neither_torch_nor_matplotlib(arguments):
    code = (
        "import sys; from course_utils.__main__ import main\ntry: main(sys.argv[1:])\nexcept SystemExit: pass\n"
        "print('loaded:', *({'torch', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == ""
    assert "usage: " in done.stdout
    assert done.stdout.endswith("\nloaded:\n")


def test_the_module_of_the_command_test_holds_no_tests():
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "course_utils/commands"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout


def test_a_console_without_arrows_gets_other_characters():
    command = [sys.executable, "-c", "from course_utils.__main__ import main; main(['help']); print('→ ρ̂ ✓')"]
    environment = os.environ | {"PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode("cp1252").splitlines()[-1] == "? ??? ?".replace("???", "?" * len("ρ̂"))


def test_a_full_disk_is_said_in_a_line(capsys, monkeypatch):
    def fill(arguments):
        raise OSError(errno.ENOSPC, "No space left on device", "build/page.html")

    monkeypatch.setattr("course_utils.commands.doctor.main", fill)
    assert commands.main(["doctor"]) == 1
    assert capsys.readouterr().err == "doctor: the disk is full, at build/page.html; make room and try again.\n"


@needs_make
def test_nothing_is_installed_again_when_the_pins_have_not_changed(tmp_path):
    (tmp_path / "Makefile").write_text(MAKEFILE)
    environment = tmp_path / ".venv"
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (1, 1))
    environment.mkdir()
    for name in (".created", ".installed", ".installed-tests"):
        (environment / name).touch()
    assert "pip install" not in make("-n", "lab", folder=tmp_path).stdout
    assert "pip install" not in make("-n", "test", folder=tmp_path).stdout
    os.utime(tmp_path / "constraints.txt", None)
    os.utime(environment / ".installed", (2, 2))
    assert "pip install" in make("-n", "lab", folder=tmp_path).stdout


@needs_make
def test_a_machine_without_a_fitting_python_is_told_so(tmp_path):
    (tmp_path / "Makefile").write_text(MAKEFILE)
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("")
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("make", "sh", "touch", "echo"):
        (tools / name).symlink_to(shutil.which(name))
    (tools / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tools / "python3").chmod(0o755)
    done = make("lab", folder=tmp_path, PATH=str(tools))
    assert done.returncode != 0
    assert "No Python from 3.11 to 3.13 was found" in done.stderr
    assert not (tmp_path / ".venv").exists()


@needs_make
def test_an_environment_of_somebody_else_is_left_as_it_is(tmp_path):
    (tmp_path / "Makefile").write_text(MAKEFILE)
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("")
    theirs = tmp_path / ".venv" / "bin" / "python"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("#!/bin/sh\nexit 1\n")
    theirs.chmod(0o755)
    done = make("lab", folder=tmp_path)
    assert done.returncode != 0
    assert "The folder .venv is there" in done.stderr
    assert [path.name for path in (tmp_path / ".venv").rglob("*") if path.is_file()] == ["python"]


@needs_make
def test_make_clean_needs_no_environment_and_stands_blanks(tmp_path):
    folder = tmp_path / "a course"
    for name in ("notebooks", "solutions", "exercises copy/.ipynb_checkpoints", "exercises", "tests/__pycache__"):
        (folder / name).mkdir(parents=True)
    (folder / "Makefile").write_text(MAKEFILE)
    shutil.copytree(ROOT / "course_utils", folder / "course_utils", ignore=shutil.ignore_patterns("__pycache__"))
    done = make("clean", folder=folder, PYTHONPATH="")
    assert done.returncode == 0, done.stderr
    assert "files and folders removed" in done.stdout
    assert not (folder / "tests" / "__pycache__").exists()
    left = {path.name for path in folder.iterdir()}
    assert left == {"Makefile", "course_utils", "exercises", "exercises copy", "notebooks", "solutions", "tests"}
    assert (folder / "exercises copy" / ".ipynb_checkpoints").is_dir()


def test_an_unknown_command_suggests_the_nearest():
    done = course("doctr")
    assert done.returncode == 2
    assert 'Did you mean "doctor"?' in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["run", "slides"])
def test_an_unknown_notebook_names_the_ones_there_are(command):
    done = course(command, "77")
    assert done.returncode == 1
    assert 'No notebook is called "77".' in done.stderr
    assert "01_gaussian_maximum_likelihood" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_for_people_is_one_line(capsys, monkeypatch):
    def stop(arguments):
        raise InputError("The port is 0; take another.")

    monkeypatch.setattr("course_utils.commands.doctor.main", stop)
    assert commands.main(["doctor"]) == 1
    assert capsys.readouterr().err == "doctor: The port is 0; take another.\n"


def test_without_a_command_the_usage_is_shown(capsys):
    assert commands.main([]) == 0
    usage = capsys.readouterr().out
    assert all(name in usage for name in COMMANDS)


def test_doctor_prints_a_line_for_everything():
    done = course("doctor")
    for name in doctor.CHECKS:
        assert re.search(rf"^(ok|!!)  {name}\b", done.stdout, flags=re.MULTILINE), done.stdout
    assert done.returncode == (1 if "!!" in done.stdout else 0)
    assert done.stderr == ""


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_doctor_works_where_torch_is_broken_on_any_console(tmp_path, encoding):
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch_cpu.so: cannot open shared object file')")
    done = subprocess.run(
        [sys.executable, "-m", "course_utils", "doctor"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]), "PYTHONIOENCODING": encoding},
        capture_output=True,
        encoding=encoding,
        timeout=120,
    )
    assert done.returncode == 1
    assert re.search(r"^!!  torch .*libtorch_cpu.so", done.stdout, flags=re.MULTILINE)
    assert "pip install -c constraints.txt" in done.stdout
    assert "To mend: torch, torchvision" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "module", "body", "said"),
    [
        ("torch", "torch", "import os; os._exit(139)", "stopped with status 139"),
        ("widgets", "ipywidgets", "raise ImportError('No module named ipywidgets')", "No module named ipywidgets"),
    ],
)
def test_a_broken_package_is_a_finding_with_advice(tmp_path, monkeypatch, name, module, body, said):
    (tmp_path / f"{module}.py").write_text(body)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    finding = doctor.examine(name)
    assert not finding.works
    assert said in finding.state
    assert "pip install" in finding.advice
    assert str(finding).startswith("!!")


@pytest.mark.parametrize("missing", ["jupyterlab-widgets", "anywidget"])
def test_doctor_misses_jupyterlabs_half_of_a_widget(tmp_path, monkeypatch, missing):
    folders = {"jupyterlab-widgets": "@jupyter-widgets/jupyterlab-manager", "anywidget": "anywidget"}
    for package, folder in folders.items():
        if package != missing:
            (tmp_path / "share/jupyter/labextensions" / folder).mkdir(parents=True)
    monkeypatch.setattr(doctor.sys, "prefix", str(tmp_path))
    finding = doctor.examine("widgets")
    assert not finding.works
    assert finding.advice.endswith(f"--no-deps {missing}")


def test_doctor_says_which_file_is_damaged(tmp_path, monkeypatch):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (raw / f"{name}-ubyte").write_bytes(b"short")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    finding = doctor.examine("data")
    assert not finding.works
    assert "train-images-idx3-ubyte is damaged (cut short" in finding.state


def test_doctor_says_that_the_cache_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("a file where a folder should be")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    finding = doctor.examine("cache")
    assert not finding.works
    assert "COURSE_CACHE" in finding.advice


def test_the_test_command_runs_everything_and_pytest_last(tmp_path):
    for name in ("tests", "notebooks", "solutions"):
        (tmp_path / name).mkdir()
    parts = selftest.parts(tmp_path, workers=3)
    assert [command[0] for command in parts.values()] == ["ruff", "ruff", "mypy", "pytest"]
    pytest_arguments = list(parts.values())[-1]
    assert pytest_arguments[-3:] == ["tests", "notebooks", "solutions"], "a folder that is not there is left out"
    assert {"--nbval-lax", "--nbval-current-env", "loadscope", "3"} <= set(pytest_arguments)


def test_the_profile_of_a_test_run_is_the_commands_own(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "full")
    monkeypatch.setenv("COURSE_THREADS", "7")
    monkeypatch.delenv("COURSE_STRICT", raising=False)
    quick = selftest.environment(full=False, threads=2)
    assert (quick["COURSE_PROFILE"], quick["COURSE_THREADS"]) == ("quick", "7")
    assert "COURSE_STRICT" not in quick
    full = selftest.environment(full=True, threads=2)
    assert (full["COURSE_PROFILE"], full["COURSE_STRICT"]) == ("full", "1")
