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


def merge_campaigns(context: MergeContext) -> None:
    """By name; they must have been made alike, with the same assignments by content. What was assigned later
    (adjudication) is added."""
    for campaign in context.source.exec(select(Campaign).order_by(col(Campaign.id))):
        name = f"campaign {campaign.name}"
        rubric = context.of(Rubric).get(campaign.rubric_id)
        existing = campaigns.find_campaign(context.target, campaign.name)
        if existing is not None and _identity(existing) != _identity(campaign):
            context.conflict(name, "another plan", "its assignments stay out")
            continue
        if rubric is None:
            context.conflict(name, "its rubric stays out", "it stays out as well")
            continue
        if existing is not None:
            context.of(Campaign)[campaign.id or 0] = existing.id or 0
        else:
            copied = {**columns_of(campaign), "rubric_id": rubric, "run_id": run_of(context, campaign.run_id)}
            context.of(Campaign)[campaign.id or 0] = campaigns.add_campaign(context.target, **copied)
        context.count("campaigns", existing is None, existing is not None)
        _merge_assignments(context, campaign.id or 0, name)


def _identity(campaign: Campaign) -> tuple[Any, ...]:
    return campaign.digest, campaign.blind, campaign.reveal


def _merge_assignments(context: MergeContext, source: int, name: str) -> None:
    out = 0
    for page in pages(context.source, Assignment, Assignment.campaign_id == source):
        translated = []
        for row in page:
            ids = {
                "reviewer_id": context.of(Rater).get(row.reviewer_id),
                "rater_id": context.of(Rater).get(row.rater_id),
                "response_id": context.of(Response).get(row.response_id),
            }
            if None in ids.values():
                out += 1
            else:
                translated.append({**columns_of(row), **ids, "campaign_id": context.of(Campaign)[source]})
        added = campaigns.add_assignments(context.target, translated)
        context.count("assignments", added, len(translated) - added)
    if out:
        context.conflict(name, "it assigns what stays out", f"{out} assignments stay out")


def merge_reviewers(context: MergeContext) -> None:
    """In which column a response was first shown to a reviewer, and where reviewers stopped: what the target
    remembers already stays."""
    for page in pages(context.source, Presentation):
        presentations = [
            {**columns_of(row), "rater_id": rater, "response_id": response}
            for row in page
            if (rater := context.of(Rater).get(row.rater_id)) is not None
            and (response := context.of(Response).get(row.response_id)) is not None
        ]
        insert_missing(context.target, Presentation, presentations, ("rater_id", "response_id"))
    for mark in context.source.exec(select(Bookmark).order_by(col(Bookmark.id))):
        rater = context.of(Rater).get(mark.rater_id)
        instruction = context.of(Instruction).get(mark.instruction_id)
        response = None if mark.response_id is None else context.of(Response).get(mark.response_id)
        if rater is not None and instruction is not None:
            copied = {**columns_of(mark), "rater_id": rater, "instruction_id": instruction}
            insert_missing(
                context.target, Bookmark, [{**copied, "response_id": response}], ("rater_id", "view")
            )


def merge_keys(context: MergeContext) -> None:
    """The store's own keys: with another key for pseudonyms, the same people have other pseudonyms."""
    for key in context.source.exec(select(StoreKey).order_by(StoreKey.purpose)):
        insert_missing(context.target, StoreKey, [key.model_dump()], ["purpose"])
        kept = context.target.exec(select(StoreKey.value).where(StoreKey.purpose == key.purpose)).one()
        if kept != key.value:
            context.conflict(f"key for {key.purpose}", "another one; the one here is kept")
