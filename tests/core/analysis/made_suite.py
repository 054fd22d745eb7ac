"""Suites with responses, scores and surface metrics, made for tests in a real store."""

from store import open_store
from store.queries import journal, models, raters, responses, rubrics, suites, surface
from store.queries.journal import Score
from store.session import reading, writing


class MadeSuite:
    """A suite `s/1` in a new store at `path`, with the default rubric."""

    def __init__(self, path, keys, languages=("en", "ru"), tasks=None, modifiers=None):
        """`tasks` and `modifiers` map keys to theirs."""
        self.engine = open_store(path, create=True)
        with writing(self.engine) as session:
            new = [
                suites.NewInstruction(
                    key, language, f"{key}?", task=(tasks or {}).get(key), modifier=(modifiers or {}).get(key)
                )
                for language in languages
                for key in keys
            ]
            self.suite, _ = suites.add_suite(session, "s", "1", new)
            self.instructions = {
                (row.key, language): row.id
                for language in languages
                for row in suites.instructions_of(session, self.suite, language)
            }
            self.decoding = models.decoding_id(session, "imported", None, {})
            self.rubric = rubrics.default_rubric_id(session)
            self.responses = {}

    def answer(self, model, key, language, text="an answer", sample=0, **description):
        """Write a response; returns its id."""
        with writing(self.engine) as session:
            ids = {
                "instruction_id": self.instructions[key, language],
                "model_id": models.model_id(session, model, **description),
                "decoding_id": self.decoding,
                "sample": sample,
            }
            responses.add_responses(session, [{**ids, "text": text}])
            known = session.connection().exec_driver_sql("SELECT max(id) FROM response").scalar()
        self.responses[model, key, language] = known
        return known

    def answer_all(self, *names, **description):
        for name in names:
            for key, language in self.instructions:
                self.answer(name, key, language, **description)

    def give(self, rater, response, rubric=None, **scores):
        """Scores of a rater (`kind:name`) by criterion; None skips. `response` is an id, or (model, key,
        language)."""
        kind, _, name = rater.partition(":")
        found = self.responses[response] if isinstance(response, tuple) else response
        with writing(self.engine) as session:
            ids = {row.name: row.id for row in rubrics.criteria_of(session, rubric or self.rubric)}
            marks = [Score(found, ids[it], score, skipped=score is None) for it, score in scores.items()]
            journal.append(session, raters.rater_id(session, kind, name), marks)

    def measure(self, response, tool="t", **metrics):
        """Surface metrics: `language` is the label, `spelling` and `relevance` are values."""
        rows = [
            {"response_id": response, "metric": metric, "tool": tool,
             **({"label": found, "value": 0.9} if metric == "language" else {"value": found})}
            for metric, found in metrics.items()
        ]  # fmt: skip
        with writing(self.engine) as session:
            surface.add_metrics(session, rows)

    def load(self, rubric=None):
        from core.analysis.scores import load_scores

        with reading(self.engine) as session:
            return load_scores(session, self.suite, "s/1", rubric or self.rubric)

    def criterion(self, name):
        with reading(self.engine) as session:
            return [row.name for row in rubrics.criteria_of(session, self.rubric)].index(name)
