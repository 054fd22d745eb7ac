"""The table of decodings beside their reference: `xlit-core decodings`."""

from collections.abc import Iterable, Iterator

from core.analysis.decodings import ALL, DecodingComparison, ModelDecodings
from core.report.document import Cell, Column, Table
from store.queries.decodings import Measures

SURFACE = "Not measured: `xlit-core judge surface`"
RELEVANCE = "Not judged: `xlit-core judge relevance`"
REFERENCE = "The reference, over all that it answered"
UNKNOWN = "Not told by what generated it"


def decodings_table(comparison: DecodingComparison) -> Table:
    """A row for each language of each decoding, with the reference of each model before the others."""
    columns = (
        Column("model"),
        Column("decoding"),
        Column("language"),
        Column("responses", "count"),
        Column("identical", "percent", "beside the reference"),
        Column("common start", "percent", "beside the reference"),
        Column("right language", "percent", "surface"),
        Column("spelling", "percent", "surface"),
        Column("relevant", "percent", "surface"),
        Column("tokens", "count", "length"),
        Column("cut", "percent", "length"),
        Column("empty", "percent", "length"),
    )
    rows = tuple(row for model in comparison.models for row in _rows(model))
    notes = (
        "Identical: responses with the same text as the reference's to the same instruction (and sample). "
        "Common start: how far the two are the same from their beginning, as a share of the longer one. "
        "Cut: responses that reached the limit of tokens. All languages: the mean over languages.",
        *comparison.notes,
        *(note for model in comparison.models for note in model.notes),
    )
    return Table("decodings", f"Decodings beside their reference, {comparison.suite}", columns, rows, notes)


def _rows(model: ModelDecodings) -> Iterator[tuple[Cell, ...]]:
    none = Cell(None, why=REFERENCE)
    for language in _languages_with_rows(model.measures):
        measures = model.measures[language]
        yield (
            *_names(model.model, model.reference, language, measures.n),
            none,
            none,
            *_cells(measures),
        )
    for decoding in model.decodings:
        rows = {row.language: row for row in decoding.rows}
        for language in _languages_with_rows(rows):
            row = rows[language]
            yield (
                *_names(model.model, decoding.name, language, row.n),
                Cell(100 * row.identical),
                Cell(100 * row.common_start),
                *_cells(row.own),
            )


def _languages_with_rows(languages: Iterable[str]) -> list[str]:
    """The languages that get a row: all together only where there are several."""
    names = list(languages)
    return names if len(names) > 2 else [language for language in names if language != ALL]


def _names(model: str, decoding: str, language: str, responses: int) -> tuple[Cell, ...]:
    return Cell(model), Cell(decoding), Cell(language), Cell(responses)


def _cells(measures: Measures) -> tuple[Cell, ...]:
    tokens = measures.tokens_out
    return (
        _share(measures.right_language, SURFACE),
        _share(measures.spelling, SURFACE),
        _share(measures.relevant, RELEVANCE),
        Cell(None, why=UNKNOWN) if tokens is None else Cell(tokens),
        _share(measures.cut, UNKNOWN),
        Cell(100 * measures.empty),
    )


def _share(value: float | None, why: str) -> Cell:
    return Cell(None, why=why) if value is None else Cell(100 * value)
