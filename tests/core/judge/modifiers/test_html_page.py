"""`html_template`."""

import pytest

from core.judge.modifiers.html import HtmlPage

WORDS = {
    "en": ("How to cook", "Salt the meat."),
    "fr": ("Comment cuisiner", "Salez la viande."),
    "pt": ("Como cozinhar", "Salgue a carne."),
    "ru": ("Как готовить", "Посолите мясо."),
    "de": ("Wie man kocht", "Salzen Sie das Fleisch."),
}
PAGES = {
    "whole": "<!DOCTYPE html>\n<html>\n<head><title>{0}</title></head>\n"
    "<body>\n<h1>{0}</h1>\n<p>{1}</p>\n</body>\n</html>",
    "no doctype": "<html><head><meta charset=utf-8><title>{0}</title></head><body><p>{1}</p></body></html>",
    "no head": "<html><body>{1}</body></html>",
    "fragment": "<h1>{0}</h1>\n<ul>\n<li>{1}</li>\n<li><b>{1}</b></li>\n</ul>",
    "optional ends": "<h1>{0}</h1><ul><li>{1}<li>{1}</ul><p>{1}<p>{1}",
    "a list in a paragraph": "<p>{0}<ul><li>{1}</li></ul></p>",
    "style and script": "<style>p {{ color: red }}</style><script>if (1 < 2) x = '</p>'</script><p>{1}</p>",
    "void elements": "<p>{0}<br>{1}<br/><img src=x></p><hr>",
    "a table": "<table><tr><th>{0}</th></tr><tr><td>{1}</td></tr></table>",
    "a comment": "<!-- {0} </p> --><p>{1}</p>",
    "old elements": "<center><font size=2>{0}</font></center>",
}
BROKEN = {
    "plain text": "{0}. {1}",
    "markdown": "# {0}\n\n* {1}",
    "unclosed element": "<div><h1>{0}</h1><p>{1}</p>",
    "unclosed inline element": "<p>{0} <b>{1}</p>",
    "stray end tag": "<p>{0}</p>{1}</div>",
    "end of another": "<h1>{0}</h2><p>{1}</p>",
    "overlap": "<p><b>{0} <i>{1}</b></i></p>",
    "cut off": "<html><body><h1>{0}</h1><p>{1}",
    "cut off in a tag": "<p>{0}</p><p>{1}</p",
    "cut off in a comment": "<p>{0}</p><!-- {1}",
    "inline only": "<b>{0}</b>",
    "beside the elements": "{0}\n<p>{1}</p>",
    "no text": "<html><head><title>{0}</title></head><body></body></html>",
    "script alone": "<div><script>{0}</script></div>",
    "escaped": "&lt;html&gt;{0}&lt;/html&gt;",
    "a break in text": "{0}<br>{1}",
    "two pages": "```html\n<p>{0}</p>\n```\n```html\n<p>{1}</p>\n```",
    "broken page in a fence": "```html\n<div>{0}\n```",
}


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("page", PAGES)
def test_a_document_in_balance_is_a_page_bare_or_in_a_fence(page, language):
    document = PAGES[page].format(*WORDS[language])
    assert HtmlPage().judge(document).fulfilled is True
    assert HtmlPage().judge(f"```html\n{document}\n```").fulfilled is True
    assert (
        HtmlPage().judge(f"{WORDS[language][0]}:\n\n```\n{document}\n```\n{WORDS[language][1]}").fulfilled
        is True
    )


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("page", BROKEN)
def test_what_is_out_of_balance_or_no_document_is_no_page(page, language):
    verdict = HtmlPage().judge(BROKEN[page].format(*WORDS[language]))
    assert verdict.fulfilled is False, verdict


def test_a_few_words_may_stand_around_the_document_and_many_may_not():
    page = PAGES["whole"].format(*WORDS["en"])
    for document in (page, f"```html\n{page}\n```"):
        assert HtmlPage().judge(f"{'word ' * 25}\n{document}\n{'word ' * 25}").fulfilled is True
        assert HtmlPage().judge(f"{'word ' * 26}\n{document}\n{'word ' * 25}").fulfilled is False


def test_reasons_say_what_is_wrong_without_hostile_characters():
    assert HtmlPage().judge("<p>a</p><div>").reason == "1 times <div>, 0 times </div>"
    assert HtmlPage().judge("<p>a</p><b\x1b[31m\u202e>").reason.isascii()


def test_a_page_too_long_to_parse_is_left_undecided():
    assert HtmlPage().judge("<p>word</p>" * 2000).fulfilled is None
    assert HtmlPage().judge("<p>" + "word " * 20_000 + "</p>").fulfilled is None
