"""How Kafka is reached: TLS and SASL, as arguments of every aiokafka client; a part of `app.settings`."""

import ssl
from collections.abc import Mapping

SECURITY_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
SASL_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


class SecurityError(ValueError):
    """A variable has a value that cannot be used; the message is one line and names it."""


def security_of(env: Mapping[str, str]) -> dict[str, object]:
    """The arguments; empty = plain text. Raises `SecurityError`."""
    protocol = env.get("ONETRAIL_KAFKA_SECURITY_PROTOCOL") or "PLAINTEXT"
    if protocol not in SECURITY_PROTOCOLS:
        raise SecurityError(f"ONETRAIL_KAFKA_SECURITY_PROTOCOL must be one of {', '.join(SECURITY_PROTOCOLS)}, not {protocol!r}")
    _refuse_unused(env, protocol)
    if protocol == "PLAINTEXT":
        return {}
    tls = {"ssl_context": _tls(env)} if protocol.endswith("SSL") else {}
    sasl = _sasl(env) if protocol.startswith("SASL") else {}
    return {"security_protocol": protocol, **tls, **sasl}


def _refuse_unused(env: Mapping[str, str], protocol: str) -> None:
    """A password that would not be used is most likely meant to be."""
    if protocol != "PLAINTEXT" and not env.get("ONETRAIL_KAFKA"):
        raise SecurityError("ONETRAIL_KAFKA_SECURITY_PROTOCOL is for ONETRAIL_KAFKA; the embedded broker speaks plain text")
    unused = [] if protocol.startswith("SASL") else ["SASL_MECHANISM", "SASL_USERNAME", "SASL_PASSWORD"]
    unused += [] if protocol.endswith("SSL") else ["CA_FILE"]
    for name in (f"ONETRAIL_KAFKA_{end}" for end in unused):
        if env.get(name):
            raise SecurityError(f"{name} has no effect while ONETRAIL_KAFKA_SECURITY_PROTOCOL is {protocol}")


def _tls(env: Mapping[str, str]) -> ssl.SSLContext:
    file = env.get("ONETRAIL_KAFKA_CA_FILE") or None
    try:
        return ssl.create_default_context(cafile=file)
    except OSError as error:
        raise SecurityError(f"ONETRAIL_KAFKA_CA_FILE must be a file of PEM certificates, not {file!r}: {error}") from None


def _sasl(env: Mapping[str, str]) -> dict[str, str]:
    mechanism = env.get("ONETRAIL_KAFKA_SASL_MECHANISM") or "PLAIN"
    if mechanism not in SASL_MECHANISMS:
        raise SecurityError(f"ONETRAIL_KAFKA_SASL_MECHANISM must be one of {', '.join(SASL_MECHANISMS)}, not {mechanism!r}")
    for name in ("ONETRAIL_KAFKA_SASL_USERNAME", "ONETRAIL_KAFKA_SASL_PASSWORD"):
        if not env.get(name):
            raise SecurityError(f"{name} is missing, and ONETRAIL_KAFKA_SECURITY_PROTOCOL needs it")
    return {
        "sasl_mechanism": mechanism,
        "sasl_plain_username": env["ONETRAIL_KAFKA_SASL_USERNAME"],
        "sasl_plain_password": env["ONETRAIL_KAFKA_SASL_PASSWORD"],
    }
