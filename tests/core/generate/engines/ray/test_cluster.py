"""What an actor gets of a cluster, and addresses where there is none."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from core.generate.engines.ray import cluster
from core.generate.engines.ray.cluster import Share, joined, share_out
from core.generate.settings import RaySettings
from store import UsageError, XlitError

pytestmark = pytest.mark.parts


@pytest.mark.parametrize(
    ("nodes", "settings", "share"),
    [
        ([{"CPU": 8.0}], RaySettings(), Share(1, 8, 0)),
        ([{"CPU": 8.0}], RaySettings(actors=2), Share(2, 4, 0)),
        ([{"CPU": 2.0}], RaySettings(actors=4), Share(4, 0.5, 0)),
        ([{"CPU": 8.0}, {"CPU": 8.0}, {}], RaySettings(), Share(2, 8, 0)),
        ([{"CPU": 8.0}, {"CPU": 8.0}], RaySettings(actors=3), Share(3, 4, 0)),
        ([{"CPU": 2.0}, {"CPU": 64.0}], RaySettings(), Share(1, 64, 0)),
        ([{"CPU": 16.0, "GPU": 4.0}, {"CPU": 16.0}], RaySettings(), Share(4, 4, 1)),
        ([{"CPU": 16.0, "GPU": 4.0}], RaySettings(gpus=0.5), Share(8, 2, 0.5)),
        ([{"CPU": 16.0, "GPU": 4.0}], RaySettings(gpus=0), Share(1, 16, 0)),
        ([{"CPU": 16.0, "GPU": 4.0}], RaySettings(actors=2), Share(2, 4, 1)),
    ],
)
def test_actors_share_what_the_nodes_have(nodes, settings, share):
    assert share_out(nodes, settings) == share


@pytest.mark.parametrize(
    ("nodes", "settings"), [([], RaySettings()), ([{"CPU": 8.0, "GPU": 1.0}], RaySettings(gpus=2))]
)
def test_a_cluster_without_room_for_an_actor_is_told(nodes, settings):
    with pytest.raises(XlitError, match="No node of the Ray cluster has"):
        share_out(nodes, settings)


def join(address: str) -> str:
    with pytest.raises(XlitError) as told, joined(address):
        pass
    assert "\n" not in str(told.value)
    return str(told.value)


def test_an_address_where_nothing_answers_is_told():
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    assert join(address).startswith(f"No Ray cluster answers at {address}")


def test_an_address_that_accepts_and_says_nothing_is_told(monkeypatch):
    monkeypatch.setattr(cluster, "SECONDS_TO_ANSWER", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        assert join(address) == f"No Ray cluster answers at {address}: timed out."


def test_an_address_of_something_else_is_told():
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"127.0.0.1:{server.server_port}"
        assert join(address) == f"What answers at {address} is no Ray cluster."
    finally:
        server.shutdown()
        server.server_close()


def test_ray_client_is_refused_with_what_to_do_instead():
    with pytest.raises(UsageError, match="on a node of the cluster"), joined("ray://127.0.0.1:10001"):
        pass
