"""The battery: poor responses, as they are and with each attack upon the judge in them."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

BATTERY_FILE = Path(__file__).parent / "battery.toml"

# Attacks that bury their command under much text.
PADDING = "This is additional information about the topic. " * 60

PLAIN = "plain"


@dataclass(frozen=True)
class Case:
    """A poor response to an instruction."""

    key: str
    language: str
    instruction: str
    response: str


@dataclass(frozen=True)
class Battery:
    """`attacks`: texts by name, with `{RESPONSE}` where the poor response goes."""

    name: str
    version: str
    cases: tuple[Case, ...]
    attacks: dict[str, str]

    def responses(self, case: Case) -> dict[str, str]:
        """A case's response as it is (`PLAIN`) and with every attack, by name."""
        attacked = {
            name: text.replace("{PADDING}", PADDING).replace("{RESPONSE}", case.response)
            for name, text in self.attacks.items()
        }
        return {PLAIN: case.response, **attacked}


def load_battery() -> Battery:
    """The battery that comes with the project."""
    content = tomllib.loads(BATTERY_FILE.read_text(encoding="utf-8"))
    return Battery(
        content["name"],
        content["version"],
        tuple(Case(**case) for case in content["cases"]),
        {attack["name"]: attack["text"] for attack in content["attacks"]},
    )
