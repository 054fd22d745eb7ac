"""A model by its name on the hub: from the hub's own cache, or one sentence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.generate.checkpoint import locate_checkpoint
from store import XlitError

REVISION = "0123456789abcdef0123456789abcdef01234567"


def test_a_path_that_is_there_is_itself(checkpoint: Path):
    assert locate_checkpoint(str(checkpoint)) == checkpoint


def test_a_path_that_can_not_be_a_name_is_left_to_whoever_opens_it():
    for path in ("/no/such/folder", "../nowhere", "a/b/c", "~/model"):
        assert locate_checkpoint(path) == Path(path)


def test_a_name_that_the_hub_does_not_give_is_one_sentence():
    with pytest.raises(XlitError, match="No checkpoint at no-such/model, and none of that name") as caught:
        locate_checkpoint("no-such/model")
    assert "\n" not in str(caught.value)


@pytest.mark.whole
def test_a_name_is_found_in_the_cache_without_a_network(checkpoint: Path, tmp_path: Path):
    """In a process of its own, since the hub's client reads where its cache is when it is imported."""
    repository = tmp_path / "hub" / "models--some--model"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(REVISION)
    (repository / "snapshots").mkdir()
    (repository / "snapshots" / REVISION).symlink_to(checkpoint)
    script = (
        "import json; from core.generate.checkpoint import inspect_checkpoint, locate_checkpoint; "
        "print(json.dumps([str(locate_checkpoint('some/model')), "
        "inspect_checkpoint(locate_checkpoint('some/model')).kind]))"
    )
    import os

    environment = os.environ | {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True
    )
    path, kind = json.loads(done.stdout)
    assert Path(path).resolve() == checkpoint.resolve()
    assert kind == "model"
