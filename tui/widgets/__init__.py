"""The parts of the screens; each draws itself, line by line, and repaints no more than has changed."""
