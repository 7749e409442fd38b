"""Baseline: `python -m tests.benchmarks.bare_web PORT BYTES`, an aiohttp handler that answers everything with so many bytes."""

import asyncio
import sys

from aiohttp import web

from tests.ports import LOOPBACK


async def serve(port: int, size: int) -> None:
    """Until it is killed."""
    body = b'{"filler":"%s"}' % (b"x" * max(0, size - 13))

    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(body=body, headers={"Content-Type": "application/json"})

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
