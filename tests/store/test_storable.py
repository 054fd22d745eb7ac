"""What a database can hold: who reads files hears why not; all else is kept with U+FFFD in its position."""

import pytest

from store.storable import storable, strings_in, unstorable


@pytest.mark.parametrize("text", ["", "abc", "Привет", "👍🏽\n\t\x1b\ufffd\uffff"])
def test_what_a_database_holds_stays_as_it_is(text):
    assert unstorable(text) is None
    assert storable(text) == text


@pytest.mark.parametrize(
    ("text", "kept", "reason"),
    [
        ("a\x00b", "a\ufffdb", "holds a NUL character"),
        ("é\ud800b", "é\ufffdb", "holds half of a surrogate pair at character 2"),
        ("\udc00\ud800", "\ufffd\ufffd", "holds half of a surrogate pair at character 1"),
        ("\ud83d\ude00\x00", "😀\ufffd", "holds a NUL character"),
        ("\ufeff\ud800", "\ufeff\ufffd", "holds half of a surrogate pair at character 2"),
    ],
)
def test_what_it_does_not_hold_has_a_reason_and_a_stand_in(text, kept, reason):
    assert unstorable(text) == reason
    assert storable(text) == kept
    assert unstorable(storable(text)) is None


def test_every_text_of_a_json_value_is_looked_at():
    assert list(strings_in({"a": ["b", {"c": "d"}, 1, None]})) == ["a", "b", "c", "d"]
