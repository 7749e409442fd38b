"""What lies in a queue is lost only where reading begins anew."""

import asyncio

from mode.utils.queues import FlowControlQueue

from app.runtime.flow import Flow


def queue_of(flow: Flow, *runs: str) -> "asyncio.Queue[str]":
    queue: FlowControlQueue[str] = FlowControlQueue(flow_control=flow, clear_on_resume=True)
    for run in runs:
        queue.put_nowait(run)
    return queue


def test_what_was_fetched_behind_the_seek_of_a_recovery_survives_its_end() -> None:
    flow = Flow()
    flow.resume()
    queue = queue_of(flow, "behind the seek")
    flow.resume()
    assert queue.get_nowait() == "behind the seek"


def test_what_is_left_from_an_earlier_assignment_is_not_handled() -> None:
    flow = Flow()
    flow.resume()
    flow.suspend()
    queue = queue_of(flow, "of another's partition")
    flow.resume()
    assert queue.empty()
    assert flow.is_active()
