"""How a command line says what the fields of instruction data are: `train` and `translate` ask alike."""

from typing import Annotated

import typer

from core.console import pairs
from core.train.data.formats import FORMATS, NAMES

FormatOption = Annotated[
    str, typer.Option(help=f"Of the data: auto (each row's fields tell), {', '.join(FORMATS)}.")
]
ColumnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="OURS=THEIRS",
        help="What the data calls a field, by name or path (response=conversations.1.value). Ours: "
        f"{', '.join(NAMES)}.",
    ),
]
DropOption = Annotated[
    list[str] | None,
    typer.Option("--drop-field", metavar="NAME", help="Leave this field of rows and turns out."),
]


def column_names(columns: list[str] | None) -> dict[str, str]:
    """The option `--column` as `DataSource` takes it."""
    return pairs("--column", columns or [])
