"""The Faust application with our consumer and producer underneath."""

from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver

from app.runtime.durable import Producer
from app.runtime.runs import Consumer


class Transport(driver.Transport):
    """Faust's Kafka transport with runs and durable sends."""

    Consumer = Consumer
    Producer = Producer


class App(faust.App):
    """A Faust app on that transport; everything else is Faust's own."""

    def _new_transport(self) -> Any:
        return Transport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> Any:
        return Transport(self.conf.broker_producer, self)
