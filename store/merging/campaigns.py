"""Campaigns of two stores with who scores what, and what they remember of their reviewers."""

from typing import Any

from sqlmodel import col, select

from store.merging.merge_context import MergeContext, columns_of, pages, run_of
from store.queries import campaigns
from store.tables import (
    Assignment,
    Bookmark,
    Campaign,
    Instruction,
    Presentation,
    Rater,
    Response,
    Rubric,
    StoreKey,
)
from store.upsert import insert_missing


def merge_campaigns(it: MergeContext) -> None:
    """By name; they must have been made alike, with the same assignments by content. What was assigned later
    (adjudication) is added."""
    for campaign in it.source.exec(select(Campaign).order_by(col(Campaign.id))):
        name = f"campaign {campaign.name}"
        rubric = it.of(Rubric).get(campaign.rubric_id)
        there = campaigns.find_campaign(it.target, campaign.name)
        if there is not None and _identity(there) != _identity(campaign):
            it.conflict(name, "another plan", "its assignments stay out")
            continue
        if rubric is None:
            it.conflict(name, "its rubric stays out", "it stays out as well")
            continue
        if there is not None:
            it.of(Campaign)[campaign.id or 0] = there.id or 0
        else:
            copied = {**columns_of(campaign), "rubric_id": rubric, "run_id": run_of(it, campaign.run_id)}
            it.of(Campaign)[campaign.id or 0] = campaigns.add_campaign(it.target, **copied)
        it.count("campaigns", there is None, there is not None)
        _merge_assignments(it, campaign.id or 0, name)


def _identity(campaign: Campaign) -> tuple[Any, ...]:
    return campaign.digest, campaign.blind, campaign.reveal


def _merge_assignments(it: MergeContext, source: int, name: str) -> None:
    out = 0
    for page in pages(it.source, Assignment, Assignment.campaign_id == source):
        translated = []
        for row in page:
            found = {
                "reviewer_id": it.of(Rater).get(row.reviewer_id),
                "rater_id": it.of(Rater).get(row.rater_id),
                "response_id": it.of(Response).get(row.response_id),
            }
            if None in found.values():
                out += 1
            else:
                translated.append({**columns_of(row), **found, "campaign_id": it.of(Campaign)[source]})
        added = campaigns.add_assignments(it.target, translated)
        it.count("assignments", added, len(translated) - added)
    if out:
        it.conflict(name, "it assigns what stays out", f"{out} assignments stay out")


def merge_reviewers(it: MergeContext) -> None:
    """In which column a response was first shown to a reviewer, and where reviewers stopped: what the target
    remembers already stays."""
    for page in pages(it.source, Presentation):
        shown = [
            {**columns_of(row), "rater_id": rater, "response_id": response}
            for row in page
            if (rater := it.of(Rater).get(row.rater_id)) is not None
            and (response := it.of(Response).get(row.response_id)) is not None
        ]
        insert_missing(it.target, Presentation, shown, ("rater_id", "response_id"))
    for mark in it.source.exec(select(Bookmark).order_by(col(Bookmark.id))):
        rater = it.of(Rater).get(mark.rater_id)
        instruction = it.of(Instruction).get(mark.instruction_id)
        response = None if mark.response_id is None else it.of(Response).get(mark.response_id)
        if rater is not None and instruction is not None:
            copied = {**columns_of(mark), "rater_id": rater, "instruction_id": instruction}
            insert_missing(it.target, Bookmark, [{**copied, "response_id": response}], ("rater_id", "view"))


def merge_keys(it: MergeContext) -> None:
    """The store's own keys: with another key for pseudonyms, the same people have other pseudonyms."""
    for key in it.source.exec(select(StoreKey).order_by(StoreKey.purpose)):
        insert_missing(it.target, StoreKey, [key.model_dump()], ["purpose"])
        kept = it.target.exec(select(StoreKey.value).where(StoreKey.purpose == key.purpose)).one()
        if kept != key.value:
            it.conflict(f"key for {key.purpose}", "another one; the one here is kept")
