"""How things look: the terminal's own colours, so that light and dark terminals both fit and a change of
style costs few bytes on a slow line. No meaning hangs on a colour alone."""

from rich.style import Style

# Textual's theme that draws with the terminal's palette and leaves its background alone.
THEME = "ansi-dark"

PLAIN = Style()
QUIET = Style(dim=True)
STRONG = Style(bold=True)
HEADING = Style(color="cyan", bold=True)
CURRENT = Style(bold=True, reverse=True)
DONE = Style(color="green")
DIFFERS = Style(color="yellow", bold=True)
FAILED = Style(color="red", bold=True)
