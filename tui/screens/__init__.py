"""The screens; each owns its layout and hands keys on to what stands behind it."""
