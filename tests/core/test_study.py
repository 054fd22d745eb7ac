"""The study file: what it means, and messages that name the key that is wrong."""

import pytest

from core.study import configurations, read_study
from store import UsageError

GOOD = """
name = "small"
suite = "miniature"
languages = ["en", "ru"]

[[models]]
base = "base"
label = "mini"
adaptation = "none"

[[models]]
base = "base"
label = "mini"
data = "english.jsonl"
data_label = "English"
learning_rates = [1e-5, 3e-4]
gguf = ["q8_0"]

[[models]]
base = "base"
label = "mini"
data = "english.jsonl"
adaptation = "lora"
learning_rates = [1e-3]
"""


def written(tmp_path, text):
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_configurations_carry_the_papers_names(tmp_path):
    study = read_study(written(tmp_path, GOOD))
    assert [configuration.name for configuration in configurations(study)] == [
        "mini",
        "mini / English / FT / 1e-5",
        "mini / English / FT / 3e-4",
        "mini / english / LoRA / 1e-3",
    ]


def test_two_rates_that_round_to_the_same_name_are_told_apart(tmp_path):
    study = read_study(written(tmp_path, GOOD.replace("[1e-5, 3e-4]", "[2e-5, 2.5e-5]")))
    names = [configuration.name for configuration in configurations(study)]
    assert names[1:3] == ["mini / English / FT / 2e-5", "mini / English / FT / 2.5e-5"]
    assert len({configuration.folder for configuration in configurations(study)}) == 4


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('suite = "miniature"', "", "suite: Field required"),
        ("[1e-5, 3e-4]", "[1e-5, -1]", r"models\[1\]\.learning_rates\[1\]"),
        ('gguf = ["q8_0"]', 'gguf = ["q9"]', r"models\[1\]\.gguf\[0\]"),
        ('label = "mini"\nadaptation = "none"', 'lable = "mini"', r"models\[0\]\.lable"),
        ("learning_rates = [1e-3]", "", r"models\[2\]\.learning_rates: give at least one"),
        ("[[models]]", "[[models", "is not TOML"),
    ],
)
def test_a_mistake_is_named_by_its_key(tmp_path, old, new, message):
    with pytest.raises(UsageError, match=message):
        read_study(written(tmp_path, GOOD.replace(old, new)))


def test_two_models_of_one_name_are_refused(tmp_path):
    with pytest.raises(UsageError, match="two models are called 'mini'"):
        read_study(
            written(tmp_path, GOOD + '[[models]]\nbase = "other"\nlabel = "mini"\nadaptation = "none"\n')
        )


def test_a_missing_study_file_is_one_sentence(tmp_path):
    with pytest.raises(UsageError, match="No study file"):
        read_study(tmp_path / "none.toml")
