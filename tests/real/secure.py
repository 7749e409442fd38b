"""A broker with a second door: TLS with a certificate authority of our own, and a name and password (SASL)."""

from collections.abc import Sequence
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from app.broker import Broker
from tests.ports import LOOPBACK

USER, PASSWORD = "onetrail", "password-of-tests"
SCRAM, PLAIN = "SCRAM-SHA-512", "PLAIN"
LOGIN = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'


class SecureBroker(Broker):
    """The embedded broker; `secure` is where clients with TLS and a password get in, `ca_file` whom they trust."""

    def __init__(self, port: int, secure_port: int, data: Path) -> None:
        super().__init__(LOOPBACK, port, data)
        self.secure, self._port = f"{LOOPBACK}:{secure_port}", port
        self.ca_file, self._identity = data / "ca.pem", data / "identity.pem"
        ours = trustme.CA()
        ours.cert_pem.write_to_path(self.ca_file)
        self._identity.write_bytes(for_java(ours.issue_cert(LOOPBACK)))

    def environment(self, mechanism: str = SCRAM) -> dict[str, str]:
        """The settings of a client that gets in."""
        return {
            "ONETRAIL_KAFKA": self.secure,
            "ONETRAIL_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "ONETRAIL_KAFKA_CA_FILE": str(self.ca_file),
            "ONETRAIL_KAFKA_SASL_MECHANISM": mechanism,
            "ONETRAIL_KAFKA_SASL_USERNAME": USER,
            "ONETRAIL_KAFKA_SASL_PASSWORD": PASSWORD,
        }

    def _spawn(self, command: Sequence[str]) -> None:
        """The password of SCRAM is kept in Kafka's storage, from its making on."""
        known = ("--add-scram", f"{SCRAM}=[name={USER},password={PASSWORD}]") if "format" in command else ()
        super()._spawn([*command, *known])

    def _prepare_storage(self, java: Sequence[str]) -> None:
        """Of two lines with one name Kafka takes the later."""
        super()._prepare_storage(java)
        with (self.directory / "server.properties").open("a") as file:
            file.writelines(f"{line}\n" for line in self._second_door())

    def _second_door(self) -> tuple[str, ...]:
        own = "listener.name.secure"
        return (
            f"listeners=BROKER://{self.bootstrap},SECURE://{self.secure},CONTROLLER://{LOOPBACK}:{self._port + 1}",
            f"advertised.listeners=BROKER://{self.bootstrap},SECURE://{self.secure}",
            "listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL",
            f"{own}.sasl.enabled.mechanisms={PLAIN},{SCRAM}",
            f"{own}.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;",
            f"{own}.plain.sasl.jaas.config={LOGIN}",
            f"{own}.ssl.keystore.type=PEM",
            f"{own}.ssl.keystore.location={self._identity}",
        )


def for_java(issued: trustme.LeafCert) -> bytes:
    """Key and certificates in one file, the key as PKCS 8, the only form that Java reads."""
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return plain + b"".join(blob.bytes() for blob in issued.cert_chain_pems)
