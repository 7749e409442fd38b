"""Baseline: `python -m tests.benchmarks.bare_collector BOOTSTRAP TOPIC PORT`, an aiohttp handler that only produces to Kafka."""

import asyncio
import sys

from aiohttp import web
from aiokafka import AIOKafkaProducer

from tests.ports import LOOPBACK


async def serve(bootstrap: str, topic: str, port: int) -> None:
    """Answers 200 when Kafka has acknowledged every line of a body, unread; until it is killed."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True) as producer:

        async def answer(request: web.BaseRequest) -> web.Response:
            lines = (await request.read()).splitlines()
            await asyncio.gather(*[await producer.send(topic, line) for line in lines])
            return web.Response(body=b'{"success":true}', headers={"Content-Type": "application/json"})

        runner = web.ServerRunner(web.Server(answer, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, port).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
