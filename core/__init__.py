"""The workshop: everything that makes data. Imports the store."""
