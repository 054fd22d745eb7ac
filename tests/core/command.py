"""`xlit-core` in this process: as the program itself in all that a user sees, without its second of
start-up."""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

from core.cli import main


def xlit_core(
    *arguments: object, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command; what it wrote to stdout and stderr, and its exit code. Variables that name a store, keys
    or servers are taken out of the environment, and `environment` is put in."""
    command = ["xlit-core", *map(str, arguments)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XLIT_", "OPENAI_"))}
    out, told = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    code: object = 0
    with (
        contextlib.chdir(cwd or Path.cwd()),
        patch.dict(os.environ, kept | environment, clear=True),
        patch.object(sys, "argv", command),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(told),
    ):
        try:
            main()
        except SystemExit as ended:
            code = ended.code
    texts = []
    for stream in (out, told):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return subprocess.CompletedProcess(command, int(code or 0), *texts)  # type: ignore[call-overload]
