"""The environment: what is read, what is generated, and the one line that a bad value gives."""

import multiprocessing
import ssl
import stat
from pathlib import Path

import pytest

from app.secret_files import kept_or_made
from app.settings import PACKAGED_CONFIG, SECRETS, Settings, SettingsError

GIVEN = {"ONETRAIL_READ_TOKEN": "read", "ONETRAIL_ADMIN_TOKEN": "admin", "ONETRAIL_PII_KEY": "sixteen letters!"}


def settings(data: Path, **env: str) -> Settings:
    return Settings.from_environment({"ONETRAIL_DATA": str(data), **{f"ONETRAIL_{name}": value for name, value in env.items()}})


def test_without_any_variable_everything_is_on_this_machine(tmp_path: Path) -> None:
    found = settings(tmp_path)
    assert (found.kafka, found.bootstrap, found.prefix, found.host) == (None, "127.0.0.1:9092", "onetrail", "127.0.0.1")
    assert (found.collect_port, found.web_port, found.broker_port) == (8000, 6066, 9092)
    assert (found.web_url, found.config, found.security) == ("http://127.0.0.1:6066", PACKAGED_CONFIG, {})


def test_given_values_are_taken(tmp_path: Path) -> None:
    found = Settings.from_environment(
        {"ONETRAIL_DATA": str(tmp_path), **GIVEN, "ONETRAIL_KAFKA": "a:9092, b:9093,[::1]:9094", "ONETRAIL_WORKER": "w-1"}
        | {"ONETRAIL_HOST": "0.0.0.0", "ONETRAIL_WEB_PORT": "7000", "ONETRAIL_WEB_URL": "https://w1.internal:7000/"}
    )
    assert (found.kafka, found.bootstrap) == ("a:9092,b:9093,[::1]:9094",) * 2
    assert (found.web_url, found.worker, found.generated) == ("https://w1.internal:7000", "w-1", frozenset())
    assert (found.read_token, found.admin_token, found.pii_key) == ("read", "admin", b"sixteen letters!")


def test_an_empty_variable_is_one_that_is_not_set(tmp_path: Path) -> None:
    assert settings(tmp_path, KAFKA="", PREFIX="", WEB_PORT="", READ_TOKEN="").generated == frozenset(SECRETS)


def test_workers_of_one_machine_have_names_of_their_own(tmp_path: Path) -> None:
    assert settings(tmp_path, WEB_PORT="6066").worker != settings(tmp_path, WEB_PORT="6067").worker


def test_nothing_secret_shows_when_settings_are_printed(tmp_path: Path) -> None:
    found = settings(tmp_path)
    assert found.read_token not in repr(found)
    assert found.pii_key.decode() not in repr(found)


BAD = [
    ("KAFKA", "localhost"),
    ("KAFKA", "localhost:"),
    ("KAFKA", "localhost:99999"),
    ("KAFKA", "a:9092,,b:9092"),
    ("KAFKA", "kafka://a:9092"),
    ("KAFKA", "::1:9092"),
    ("PREFIX", "one trail"),
    ("PREFIX", ".."),
    ("PREFIX", "p" * 65),
    ("PREFIX", "前缀"),
    ("COLLECT_PORT", "0"),
    ("COLLECT_PORT", "65536"),
    ("WEB_PORT", "http"),
    ("WEB_PORT", "-1"),
    ("WEB_PORT", "６０６６"),
    ("WEB_PORT", "9" * 5000),
    ("BROKER_PORT", "65535"),
    ("HOST", "a b"),
    ("HOST", "127.0.0.1:80"),
    ("WEB_URL", "w1:6066"),
    ("WEB_URL", "http://"),
    ("WEB_URL", "http://[::1"),
    ("WEB_URL", "http://w1:port"),
    ("WORKER", "worker one"),
    ("CONFIG", "/nowhere/at-all.toml"),
    ("PII_KEY", "fifteen letters"),
    ("READ_TOKEN", "two words"),
    ("ADMIN_TOKEN", "schlüssel"),
    ("KAFKA_SECURITY_PROTOCOL", "TLS"),
    ("KAFKA_SASL_PASSWORD", "unused"),
    ("KAFKA_CA_FILE", "/unused.pem"),
    ("DATA", "/proc/nowhere"),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_one_line_that_names_the_variable(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        Settings.from_environment({"ONETRAIL_DATA": str(tmp_path), f"ONETRAIL_{name}": value})
    assert f"ONETRAIL_{name}" in str(error.value)
    assert "\n" not in str(error.value)


def test_two_equal_tokens_would_let_every_reader_erase(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="ONETRAIL_ADMIN_TOKEN is the same"):
        settings(tmp_path, READ_TOKEN="t", ADMIN_TOKEN="t")


def test_what_was_generated_is_kept_for_the_owner_only_and_found_again(tmp_path: Path) -> None:
    first, second = settings(tmp_path / "data"), settings(tmp_path / "data")
    assert first == second
    assert first.generated == frozenset(SECRETS)
    files = sorted((tmp_path / "data" / "secrets").iterdir())
    assert [file.name for file in files] == ["admin_token", "pii_key", "read_token"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    assert settings(tmp_path / "a").pii_key != settings(tmp_path / "b").pii_key


def test_an_empty_secret_is_a_fault_and_not_an_open_door(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "read_token").write_text("\n", encoding="ascii")
    with pytest.raises(SettingsError, match="ONETRAIL_READ_TOKEN"):
        settings(tmp_path)


def test_processes_that_start_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        made = pool.starmap(kept_or_made, [(tmp_path, f"token_{number % 25}") for number in range(400)])
    assert len(set(made)) == 25
    assert len(list((tmp_path / "secrets").iterdir())) == 25


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_generated_secrets_serve_on_loopback(tmp_path: Path, host: str) -> None:
    assert settings(tmp_path, HOST=host).generated


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "shop.example.com"])
@pytest.mark.parametrize("left_out", SECRETS)
def test_a_generated_secret_is_refused_where_others_can_reach_it(tmp_path: Path, host: str, left_out: str) -> None:
    env = {name: value for name, value in GIVEN.items() if name != left_out}
    with pytest.raises(SettingsError, match=f"ONETRAIL_HOST is .*: set {left_out}"):
        Settings.from_environment({"ONETRAIL_DATA": str(tmp_path), "ONETRAIL_HOST": host, **env})


def test_a_command_that_serves_nothing_writes_nothing_and_binds_nothing(tmp_path: Path) -> None:
    env = {"ONETRAIL_DATA": str(tmp_path / "data"), "ONETRAIL_HOST": "0.0.0.0"}
    found = Settings.from_environment(env, generate=False)
    assert (found.read_token, found.admin_token, found.pii_key) == ("", "", b"")
    assert not (tmp_path / "data").exists()


def test_a_command_that_serves_nothing_finds_what_was_generated(tmp_path: Path) -> None:
    served = settings(tmp_path)
    assert Settings.from_environment({"ONETRAIL_DATA": str(tmp_path)}, generate=False) == served


def test_the_embedded_broker_is_reached_on_loopback_when_it_listens_everywhere(tmp_path: Path) -> None:
    env = {"ONETRAIL_DATA": str(tmp_path), "ONETRAIL_HOST": "0.0.0.0", "ONETRAIL_BROKER_PORT": "19092", **GIVEN}
    assert Settings.from_environment(env).bootstrap == "127.0.0.1:19092"


def test_a_secured_cluster_is_reached_with_tls_and_a_password(tmp_path: Path) -> None:
    given = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512"}
    found = settings(tmp_path, KAFKA="k:9093", KAFKA_SASL_USERNAME="u", KAFKA_SASL_PASSWORD="p", **given).security
    assert isinstance(found["ssl_context"], ssl.SSLContext)
    assert {name: value for name, value in found.items() if name != "ssl_context"} == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "u",
        "sasl_plain_password": "p",
    }


INCOMPLETE = [
    ({"KAFKA_SECURITY_PROTOCOL": "SSL"}, "KAFKA_SECURITY_PROTOCOL"),
    ({"KAFKA": "k:9093", "KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "KAFKA_SASL_USERNAME"),
    ({"KAFKA": "k:9093", "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_SASL_USERNAME": "u"}, "KAFKA_SASL_PASSWORD"),
    ({"KAFKA": "k:9093", "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_SASL_MECHANISM": "GSSAPI"}, "KAFKA_SASL_MECHANISM"),
    ({"KAFKA": "k:9093", "KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_CA_FILE": "/nowhere.pem"}, "KAFKA_CA_FILE"),
]


@pytest.mark.parametrize(("env", "named"), INCOMPLETE)
def test_an_incomplete_access_to_kafka_names_what_is_missing(tmp_path: Path, env: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=f"ONETRAIL_{named}"):
        settings(tmp_path, **env)


@pytest.mark.parametrize(("name", "value"), [("RATE", "-1"), ("RATE", "many"), ("LOG", "xml"), ("METRICS", "closed")])
def test_what_is_asked_of_the_doors_is_one_of_a_few(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^ONETRAIL_{name} must be "):
        settings(tmp_path, **{name: value})


def test_a_worker_under_another_address_is_another_member(tmp_path: Path) -> None:
    def member(**env: str) -> str:
        return Settings.from_environment({"ONETRAIL_DATA": str(tmp_path), "ONETRAIL_WORKER": "w", **env}).member

    assert member() == member()
    assert member(ONETRAIL_WEB_URL="http://127.0.0.1:7000") != member(ONETRAIL_WEB_URL="http://127.0.0.1:7001")
