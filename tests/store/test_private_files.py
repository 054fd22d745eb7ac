"""Stores and their backups are files of their owner alone, unless something else is asked for."""

import os
import stat
from pathlib import Path

import pytest

from store.engine import _back_up, open_store

pytestmark = pytest.mark.parts


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


@pytest.mark.parametrize(("share", "mode"), [(None, 0o600), ("1", 0o644)])
def test_a_store_its_log_and_its_backup_are_private_unless_shared(tmp_path, monkeypatch, share, mode):
    before = os.umask(0o022)
    try:
        if share:
            monkeypatch.setenv("XLIT_SHARE", share)
        else:
            monkeypatch.delenv("XLIT_SHARE", raising=False)
        store = tmp_path / "a.db"
        engine = open_store(store, create=True)
        with engine.connect():  # the write-ahead log is there
            backup = _back_up(store, "0001")
            assert modes(tmp_path) == {mode}
            assert backup.stat().st_size
        engine.dispose()
    finally:
        os.umask(before)


def test_a_store_that_is_there_keeps_its_mode(tmp_path):
    store = tmp_path / "a.db"
    store.touch()
    store.chmod(0o660)
    open_store(store, create=True).dispose()
    assert modes(tmp_path) == {0o660}
