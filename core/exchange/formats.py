"""What a format must be able to do, and the register of formats.

A plug-in adds a format without a change here: its distribution names an object that fits `Importer` or
`Exporter` under the entry point group `xlit.importers` or `xlit.exporters`
(https://packaging.python.org/specifications/entry-points/).
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlmodel import Session

from core.exchange.records import Record
from store.errors import UsageError, XlitError

IMPORTERS, EXPORTERS = "xlit.importers", "xlit.exporters"


class Format(Protocol):
    """`name` is the word on the command line, `options` maps each option to one line of help."""

    @property
    def name(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def options(self) -> Mapping[str, str]: ...


class Importer(Format, Protocol):
    """A format that comes in."""

    def read(self, paths: Sequence[Path], options: Mapping[str, Any]) -> Iterator[Record]:
        """The records of the files, read as they are asked for. A row that can't be taken comes as a
        `BadRow`.

        Raises `UsageError` when the files as a whole are not of this format, or when an option makes no
        sense.
        """
        ...


class Exporter(Format, Protocol):
    """A format that goes out. With an attribute `binary` that is true, it writes to a file of bytes.

    When pseudonyms were asked for, the option `pseudonyms` maps every person's name to the pseudonym.
    """

    def write(self, session: Session, file: Any, options: Mapping[str, Any]) -> int:
        """Write what the store holds to a text file (UTF-8, line ends not translated). Returns the number of
        rows.

        Raises `UsageError` when an option makes no sense, before anything is written.
        """
        ...


F = TypeVar("F", bound=Format)


def importers() -> dict[str, Importer]:
    """Every format that comes in, by name."""
    from core.exchange.alpaca_eval import AlpacaEvalImporter
    from core.exchange.annotator import AnnotatorImporter
    from core.exchange.csv_file import CsvImporter
    from core.exchange.instruction_data import DollyImporter, LimaImporter
    from core.exchange.jsonl_file import JsonlImporter
    from core.exchange.language_confusion import LanguageConfusionImporter
    from core.exchange.paper_set import PaperSetImporter
    from core.exchange.parquet_file import ParquetImporter
    from core.exchange.suite_file import SuiteImporter

    built_in: list[Importer] = [
        JsonlImporter(),
        CsvImporter(),
        ParquetImporter(),
        AnnotatorImporter(),
        AlpacaEvalImporter(),
        DollyImporter(),
        LimaImporter(),
        PaperSetImporter(),
        LanguageConfusionImporter(),
        SuiteImporter(),
    ]
    return _with_plugins(built_in, IMPORTERS)


def exporters() -> dict[str, Exporter]:
    """Every format that goes out, by name."""
    from core.exchange.alpaca_eval import AlpacaEvalExporter
    from core.exchange.annotator import AnnotatorExporter
    from core.exchange.csv_file import CsvExporter
    from core.exchange.jsonl_file import JsonlExporter
    from core.exchange.llm_comparator import LlmComparatorExporter
    from core.exchange.parquet_file import ParquetExporter
    from core.exchange.preferences import PreferencesExporter

    built_in: list[Exporter] = [
        JsonlExporter(),
        CsvExporter(),
        ParquetExporter(),
        AnnotatorExporter(),
        AlpacaEvalExporter(),
        LlmComparatorExporter(),
        PreferencesExporter(),
    ]
    return _with_plugins(built_in, EXPORTERS)


def choose(formats: Mapping[str, F], name: str) -> F:
    """The format with this name. Raises `UsageError` that lists the formats when there is none."""
    if name not in formats:
        raise UsageError(f"No format {name!r}. There are: {', '.join(formats)}.")
    return formats[name]


def check_options(form: Format, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are given (None means not given). Raises `UsageError` for one that the format does not
    have."""
    given = {name: value for name, value in options.items() if value is not None}
    unknown = next((name for name in given if name not in form.options), None)
    if unknown is not None:
        known = ", ".join(form.options) or "none"
        raise UsageError(f"The format {form.name} has no option {unknown!r}. It has: {known}.")
    return given


def _with_plugins(built_in: Sequence[F], group: str) -> dict[str, F]:
    formats = {form.name: form for form in built_in}
    for entry_point in entry_points(group=group):
        try:
            formats.setdefault(entry_point.name, entry_point.load())
        except Exception as error:
            raise XlitError(
                f"The format {entry_point.name} of the plug-in {entry_point.value} can't be loaded "
                f"({error}). Mend or uninstall the plug-in."
            ) from error
    return formats
