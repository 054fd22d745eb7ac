"""Which responses of the store an action is about: those with its names, or those whose text a reviewer
read."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlmodel import Session

from core.exchange.annotator import instruction_digest, normalized
from core.exchange.records import ReadText, ResponseName, SuiteName
from store.errors import UsageError
from store.languages import stored_language
from store.queries import campaigns, importing, responses, review_queue
from store.queries.importing import KnownResponse, instruction_texts, responses_to, texts_of, texts_to
from store.queries.importing import texts_with_digest as with_digest
from store.queries.suites import find_suite
from store.tables import Campaign


@dataclass(frozen=True)
class FoundResponses:
    """The responses, and the rater as which they are scored when a campaign says so."""

    response_ids: tuple[int, ...]
    rater_id: int | None = None


@dataclass
class ResponseLookup:
    """Looks responses up in the caller's session. A method returns a sentence with the reason when it finds
    none."""

    session: Session
    _languages: dict[int, list[str]] = field(default_factory=dict)
    _suites: dict[str, int | str] = field(default_factory=dict)
    _queues: dict[tuple[str, int], dict[int, review_queue.QueueItem]] = field(default_factory=dict)
    _texts: dict[tuple[int, str], dict[str, str]] = field(default_factory=dict)

    def named(self, names: Sequence[ResponseName]) -> list[FoundResponses | str]:
        """For each of the names its one response."""
        groups: dict[tuple[int, str], list[int]] = defaultdict(list)
        results: list[FoundResponses | str] = [""] * len(names)
        for index, name in enumerate(names):
            suite = self._suite(name.suite)
            if isinstance(suite, str):
                results[index] = suite
            else:
                groups[suite, self._language(suite, name.language)].append(index)
        for (suite, language), indexes in groups.items():
            keys = {names[index].key for index in indexes}
            known = importing.known_instructions(self.session, suite, language, keys)
            answers = responses_to(self.session, {instruction for instruction, _ in known.values()})
            for index in indexes:
                name = names[index]
                if name.key not in known:
                    results[index] = f"suite {name.suite} holds no instruction {name.key!r} ({language})"
                else:
                    results[index] = _best_match(name, answers.get(known[name.key][0], []))
        return results

    def read(self, reading: ReadText, reviewer: int) -> FoundResponses | str:
        """The responses to one instruction that have the text which was read; in a campaign, those of the
        reviewer's queue."""
        if reading.campaign is not None:
            return self._queued(reading, reading.campaign, reviewer)
        if reading.digest is not None:
            matching = with_digest(self.session, reading.digest)
            matching = [
                response
                for response in matching
                if instruction_digest(response.suite, response.language, response.key) == reading.about
            ]
            if not matching:
                return "the store holds no such response"
            if normalized(matching[0].text) != " ".join(reading.text.split()):
                return "the text of the response was changed"
            return FoundResponses(tuple(response.id for response in matching))
        return self._by_text(reading)

    def campaign(self, name: str) -> Campaign:
        """The open campaign with this name. Raises `UsageError` when there is none, or when it is closed."""
        campaign = campaigns.campaign_named(self.session, name)
        if campaign.closed_at is not None:
            raise UsageError(f"Campaign {name!r} is closed. `xlit-core campaign close --reopen` opens it.")
        return campaign

    def _queued(self, reading: ReadText, campaign: str, reviewer: int) -> FoundResponses | str:
        if (campaign, reviewer) not in self._queues:
            stops = review_queue.queue_of(self.session, self.campaign(campaign).id or 0, reviewer)
            self._queues[campaign, reviewer] = {stop.position: stop for stop in stops}
        stops_by_position = self._queues[campaign, reviewer]
        if not stops_by_position:
            return f"the reviewer has no queue in campaign {campaign!r}"
        if reading.position is None:
            return "no line `ITEM: [ NUMBER DIGEST ]` above it: a campaign's file has one for each answer"
        stop = stops_by_position.get(reading.position)
        texts = texts_of(self.session, stop.response_ids) if stop else []
        if stop is None or any(
            (
                responses.text_digest(response.text),
                instruction_digest(response.suite, response.language, response.key),
            )
            != (reading.digest, reading.about)
            for response in texts
        ):
            return f"place {reading.position} of the reviewer's queue in {campaign!r} is not this answer"
        if normalized(texts[0].text) != " ".join(reading.text.split()):
            return "the text of the response was changed"
        return FoundResponses(stop.response_ids, stop.rater_id)

    def _by_text(self, reading: ReadText) -> FoundResponses | str:
        if reading.suite is None or reading.language is None:
            return "no line `ITEM` above it: give the options `suite` and `language` to find it by its text"
        suite = self._suite(reading.suite)
        if isinstance(suite, str):
            return suite
        language = self._language(suite, reading.language)
        texts = self._instructions(suite, language)
        instruction = texts.get(" ".join(reading.instruction.split()))
        if instruction is None:
            return f"suite {reading.suite} holds no instruction with this text ({reading.language})"
        wanted = " ".join(reading.text.split())
        answers = texts_to(self.session, suite, language, instruction)
        same = [response.id for response in answers if normalized(response.text) == wanted]
        return (
            FoundResponses(tuple(same))
            if same
            else "the store holds no response with this text to the instruction"
        )

    def _instructions(self, suite: int, language: str) -> dict[str, str]:
        if (suite, language) not in self._texts:
            self._texts[suite, language] = {
                normalized(text): text for _, text in instruction_texts(self.session, suite, language)
            }
        return self._texts[suite, language]

    def _language(self, suite: int, code: str) -> str:
        """The code under which the suite holds the language."""
        if suite not in self._languages:
            self._languages[suite] = importing.languages_of(self.session, suite)
        return stored_language(code, self._languages[suite])

    def _suite(self, label: str) -> int | str:
        if label not in self._suites:
            try:
                self._suites[label] = find_suite(self.session, SuiteName.parse(label).label).id
            except UsageError:
                self._suites[label] = f"the store holds no suite {label}"
        return self._suites[label]


def _best_match(name: ResponseName, answers: Sequence[KnownResponse]) -> FoundResponses | str:
    matches = [
        candidate
        for candidate in answers
        if candidate.model == name.model
        and name.sample in (None, candidate.sample)
        and name.engine in (None, candidate.engine)
        and (name.engine is None or name.quantization == candidate.quantization)
        and (name.parameters is None or dict(name.parameters) == candidate.parameters)
    ]
    description = f"response of model {name.model!r} to instruction {name.key!r} ({name.language})"
    if name.text is not None and matches:
        digest = responses.text_digest(name.text)
        matches = [candidate for candidate in matches if candidate.text_digest == digest]
        if not matches:
            return f"the {description} has another text in the store"
    if not matches:
        return f"the store holds no {description}; import the responses first"
    if len(matches) > 1:
        return (
            f"{len(matches)} responses fit the {description}: "
            "add the columns engine, quantization, parameters, sample"
        )
    return FoundResponses((matches[0].id,))
