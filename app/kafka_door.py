"""Why Kafka lets nobody in: the client library says only that it could not connect, so the door is tried once more by hand."""

import ssl

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError, SaslAuthenticationFailed

from app.settings import Settings

TRY_MS_MAX = 5_000


async def refusal_of(settings: Settings) -> str | None:
    """One line where a broker is there and refuses our TLS or SASL; None where it does not, or is not there."""
    for server in settings.bootstrap.split(","):
        host, _, port = server.rpartition(":")
        try:
            connection = await create_conn(host.strip("[]"), int(port), request_timeout_ms=TRY_MS_MAX, **settings.security)
        except (KafkaError, OSError, TimeoutError) as error:
            if said := _said(server, error):
                return said
        else:
            connection.close()
    return None


def _said(server: str, error: Exception) -> str | None:
    match error:
        case SaslAuthenticationFailed():
            return f"Kafka at {server} refuses ONETRAIL_KAFKA_SASL_USERNAME and ONETRAIL_KAFKA_SASL_PASSWORD: {error}"
        case ssl.SSLCertVerificationError():
            return f"the certificate of Kafka at {server} is none that ONETRAIL_KAFKA_CA_FILE vouches for: {error.verify_message}"
        case ssl.SSLError():
            return f"Kafka at {server} speaks no TLS that we understand ({error.reason}); see ONETRAIL_KAFKA_SECURITY_PROTOCOL"
    return None
