"""The table of keys: no key does two things, on any layout, and each can be found and renamed."""

from dataclasses import replace

import pytest
from textual.binding import Binding

from tui import keymap


@pytest.mark.parametrize("commands", keymap.SCREENS.values(), ids=list(keymap.SCREENS))
def test_no_key_runs_two_commands(commands):
    assert keymap.clashes(commands) == []


def test_a_clash_is_found_on_another_layout_too():
    cyrillic = replace(keymap.COMPARE[0], id="other", keys=("т",))
    assert keymap.clashes([*keymap.COMPARE, cyrillic]) == ["т: instruction.next and other"]


@pytest.mark.parametrize("command", keymap.COMPARE, ids=lambda command: command.id)
def test_every_letter_has_its_cyrillic_neighbour(command):
    letters = [key for key in command.keys if len(key) == 1 and key.isalpha()]
    others = [key for key in keymap.keys_of(command) if "\u0400" <= key[0] <= "\u04ff"]
    assert len(others) == len(letters)


def test_digits_work_on_azerty_without_shift():
    keys = [keymap.keys_of(command) for command in keymap.COMPARE[:3]]
    assert keys == [("0", "à"), ("1", "ampersand"), ("2", "é")]


@pytest.mark.parametrize("commands", keymap.SCREENS.values(), ids=list(keymap.SCREENS))
def test_every_binding_has_an_id_and_a_word_of_help_and_no_modifier(commands):
    made = list(Binding.make_bindings(keymap.bindings(commands)))
    assert {binding.id for binding in made} == {command.id for command in commands}
    assert all(binding.id and binding.tooltip and binding.description for binding in made)
    modified = {binding.key for binding in made if "+" in binding.key}
    assert modified <= {"ctrl+c"}  # beside Esc, and read as a key while the room runs
