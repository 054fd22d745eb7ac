"""The questions asked of the store and the writers of its rows: the only place that speaks SQL."""
