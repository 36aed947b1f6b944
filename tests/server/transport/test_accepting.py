"""A process that may open no more files lets nobody in, says so once, and goes on when somebody has left."""

import resource
from collections.abc import Callable

from tests.server.transport.conftest import Server, eventually
from tests.server.transport.raw import Raw

CROWD = 40


def test_without_room_it_waits_and_says_so_once(spawn: Callable[..., Server]) -> None:
    server = spawn("native", fresh=True)
    first = Raw(server.port).login()
    most = server.fds + CROWD // 2
    server.watched.rlimit(resource.RLIMIT_NOFILE, (most, most))
    crowd = [Raw(server.port) for _ in range(CROWD)]
    eventually(lambda: server.logged("no more connections can be accepted"))
    first.text('420["echo",1]')
    assert first.receive() == "430[1]"
    used = server.watched.cpu_times().user
    first.text('421["echo",2]')
    assert first.receive() == "431[2]"
    for one in crowd:
        one.socket.close()
    late = Raw(server.port).login()
    late.text('420["echo",3]')
    assert late.receive() == "430[3]"
    assert server.watched.cpu_times().user - used < 2
    assert len(server.logged("no more connections can be accepted")) == 1
    assert server.logged("Traceback") == []
