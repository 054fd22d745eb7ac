"""A small real store with scores of people and judges, for the numbers on agreement, and its arrays."""

from core.analysis.scores import Scores, load_scores
from store import open_store
from store.queries import journal, models, raters, responses, rubrics, suites
from store.queries.journal import NOTHING_SHOWN, Score
from store.session import reading, writing
from store.tables import Assignment, Campaign


class Rated:
    """A suite of `keys` in `languages`, answered by `models_`: a response per model, language and key, in
    this order. The rubric is the default one, or one of `criteria`."""

    def __init__(self, path, *, keys=("a", "b"), languages=("en", "ru"), models_=("m",), criteria=None,
                 modifiers=None):  # fmt: skip
        self.engine = open_store(path, create=True)
        self.ids = {}
        with writing(self.engine) as session:
            new = [
                suites.NewInstruction(key, language, f"{key}?", modifier=(modifiers or {}).get(key))
                for language in languages
                for key in keys
            ]
            self.suite, _ = suites.add_suite(session, "s", "1", new)
            decoding = models.decoding_id(session, "imported", None, {})
            for model in models_:
                for language in languages:
                    for row in suites.instructions_of(session, self.suite, language):
                        responses.add_responses(
                            session,
                            [{"instruction_id": row.id, "model_id": models.model_id(session, model),
                              "decoding_id": decoding, "text": "да"}],
                        )  # fmt: skip
                        self.ids[model, language, row.key] = len(self.ids) + 1
            self.rubric = (
                rubrics.rubric_id(session, "own", "1", criteria)
                if criteria
                else rubrics.default_rubric_id(session)
            )
            self.criteria = {row.name: row.id for row in rubrics.criteria_of(session, self.rubric)}

    def rater(self, name, kind="human", version=""):
        with writing(self.engine) as session:
            return raters.rater_id(session, kind, name, version)

    def give(self, rater, place, *, kind="human", version="", shown=NOTHING_SHOWN, **scores):
        """Scores for the response at `place` (model, language, key); a score None is skipped, "clear" takes
        one back."""
        rater = self.rater(rater, kind, version)
        with writing(self.engine) as session:
            journal.append(
                session,
                rater,
                [
                    Score(self.ids[place], self.criteria[name], None if score == "clear" else score,
                          skipped=score is None)
                    for name, score in scores.items()
                ],
                shown,
            )  # fmt: skip

    def commit(self, rater, place):
        rater = self.rater(rater)
        with writing(self.engine) as session:
            journal.commit_response(session, rater, self.ids[place])

    def assign(self, rater, place, *, kind="normal", blind=True, reveal=False):
        """A campaign in which this rater scores the response at `place`."""
        rater = self.rater(rater)
        with writing(self.engine) as session:
            made = Campaign(
                name=f"{rater} {place} {kind}",
                rubric_id=self.rubric,
                seed=1,
                blind=blind,
                reveal=reveal,
                digest="",
            )
            session.add(made)
            session.flush()
            row = {
                "campaign_id": made.id,
                "reviewer_id": rater,
                "rater_id": rater,
                "kind": kind,
                "position": 1,
            }
            session.add(Assignment(response_id=self.ids[place], **row))

    def load(self) -> Scores:
        with reading(self.engine) as session:
            return load_scores(session, self.suite, "s/1", self.rubric)
