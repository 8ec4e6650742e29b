"""A mistake of the user is one sentence; a mistake of the program is not hidden."""

import pytest

from faceheads.command import run_command


def failing(error):
    def main():
        raise error

    return main


@pytest.mark.parametrize("error", [ValueError("wrong"), FileNotFoundError("wrong"), ImportError("wrong")])
def test_a_mistake_of_the_user_is_one_line_on_stderr_and_exit_code_two(capsys, error):
    assert run_command("train.py", failing(error)) == 2
    assert capsys.readouterr() == ("", "train.py: wrong\n")


def test_ctrl_c_is_one_line_and_exit_code_130(capsys):
    assert run_command("pred.py", failing(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "pred.py: stopped\n"


def test_a_mistake_of_the_program_keeps_its_traceback():
    with pytest.raises(KeyError):
        run_command("pred.py", failing(KeyError("x")))


def test_the_exit_code_of_the_work_is_returned():
    assert run_command("pred.py", lambda: 1) == 1
