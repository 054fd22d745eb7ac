"""A server is asked again, after waits that grow."""

from core.endpoint import retrying


def test_waits_grow_differ_and_end(monkeypatch):
    monkeypatch.setattr(retrying, "FIRST_WAIT", 0.5)
    for tries, most in ((1, 0.5), (2, 1), (3, 2), (20, 30)):
        waits = [retrying.backoff(tries) for _ in range(200)]
        assert most / 2 <= min(waits)
        assert max(waits) <= most
        assert len(set(waits)) > 100
