"""What is known of writing: scripts, words, sentences, line breaks, direction, making text visible."""
