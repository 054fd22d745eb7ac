"""What is done to a text before it is drawn: made safe, broken into lines, compared, put in reading order."""
