"""How easily a judge is talked into better scores by the response that it judges."""
