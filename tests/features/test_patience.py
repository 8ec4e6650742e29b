"""Who waits long is told why; who does not, is not disturbed; no thread stays behind."""

import threading

from features.patience import announced


def test_a_long_wait_is_explained_once(capsys):
    printed = threading.Event()
    with announced("compiling", after_s=0):
        while not printed.wait(0.01):
            if capsys.readouterr().err == "\ncompiling\n":
                printed.set()
    assert capsys.readouterr().err == ""
    assert not any(isinstance(thread, threading.Timer) for thread in threading.enumerate())


def test_a_short_wait_is_silent(capsys):
    with announced("compiling", after_s=600):
        pass
    assert capsys.readouterr().err == ""
    assert not any(isinstance(thread, threading.Timer) for thread in threading.enumerate())
