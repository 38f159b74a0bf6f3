"""One line of text while a model trains, and what a stored notebook keeps of it."""

import textwrap

import nbclient
import nbformat
import pytest
from small_trainings import build, data, train

pytestmark = pytest.mark.usefixtures("one_thread")


def test_one_line_of_text_where_nothing_can_be_redrawn(capsys):
    train(build(), validation=data(9), metrics={"{half}": lambda model: 0.5}, progress=True, label="tiny", live=True)
    out, err = capsys.readouterr()
    lines = out.replace("\r", "").splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("tiny 100% |")
    assert all(text in lines[0] for text in ("epoch 3/3", "· loss ", "· val ", "· {half} 0.5"))
    assert err == ""
    train(build())
    assert capsys.readouterr() == ("", "")


def test_a_stored_notebook_keeps_one_line_and_one_figure_and_the_stop_button_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = """
        import os, signal, threading, time, torch
        from course_utils.training import fit
        def loss(model, x):
            time.sleep(0.01)
            return ((model(x) - x) ** 2).sum(1).mean()
        x = torch.randn(40, 3)
        """
    cells = [
        textwrap.dedent(source),
        "h = fit(torch.nn.Linear(3, 3), loss, x, num_epochs=12, batch_size=8, validation=x, live=True, label='a')",
        # the stop button sends the kernel SIGINT
        "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "h = fit(torch.nn.Linear(3, 3), loss, x, num_epochs=10_000, batch_size=8, label='b')",
        "print(h.stopped.split()[0], len(h.batch_losses) > 5, len(h.points) == len(h.train) > 0)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, kernel_name="python3", coalesce_streams=True, timeout=60).execute()
    text, figure = notebook.cells[1].outputs
    assert (text.name, text.text.count("\n"), "\r" in text.text) == ("stdout", 1, False)
    assert text.text.startswith("a 100% |████████████████████| epoch 12/12 · loss ")
    assert figure.output_type == "display_data"
    assert set(figure.data) == {"image/png", "text/plain"}
    assert "12 epochs of a" in figure.metadata["image/png"]["alt"]
    (stopped,) = notebook.cells[2].outputs
    bar, message, *rest = stopped.text.splitlines()
    assert bar.startswith("b   0% |")
    assert message.startswith("b: interrupted in epoch ")
    assert rest == []
    assert notebook.cells[3].outputs[0].text == "interrupted True True\n"
