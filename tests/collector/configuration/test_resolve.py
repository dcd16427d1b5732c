"""Settings: who decides, what is refused, what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from spanloop_collector.configuration import resolve, setting_fields
from spanloop_collector.errors import ConfigError
from spanloop_collector.schema.masking import Mask
from spanloop_collector.settings import GIB, MIB, Settings

DATA = {"SPANLOOP_DATA_DIR": "/data"}


def origins(configuration_file: Path | None = None, **environment: str) -> dict[str, tuple[str, str]]:
    resolved = resolve(environment=DATA | environment, config_file=configuration_file)
    return {value.field.key: (value.shown, value.origin) for value in resolved.values}


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    path = tmp_path / "spanloop.toml"
    path.write_text('[spool]\nmax_bytes = "2GiB"\nfsync = false\n[write]\nflush_after_seconds = 1\n')
    return path


# Who decides


def test_defaults_are_those_of_the_dataclasses() -> None:
    assert resolve(environment=DATA).settings == Settings(data_dir=Path("/data"))


def test_default_data_directory_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert resolve(environment={"XDG_DATA_HOME": "/home/me/data"}).settings.data_dir == Path("/home/me/data/spanloop")


def test_argument_beats_environment_beats_file_beats_default(toml: Path) -> None:
    environment = DATA | {"SPANLOOP_SPOOL_MAX_BYTES": "3GiB", "SPANLOOP_WRITE_CONNECTIONS": "3"}
    resolved = resolve({"spool.max_bytes": "4GiB"}, environment=environment, config_file=toml)
    found = {value.field.key: (value.value, value.origin) for value in resolved.values}
    assert found["spool.max_bytes"] == (4 * GIB, "--spool-max-bytes")
    assert found["write.connections"] == (3, "SPANLOOP_WRITE_CONNECTIONS")
    assert found["spool.fsync"] == (False, str(toml))
    assert found["write.flush_after_seconds"] == (1.0, str(toml))
    assert found["spool.segment_bytes"] == (144 * MIB, "default")


def test_config_file_may_come_from_the_environment(toml: Path) -> None:
    resolved = resolve(environment=DATA | {"SPANLOOP_CONFIG": str(toml)})
    assert (resolved.config_file, resolved.settings.spool.max_bytes) == (toml, 2 * GIB)


def test_argument_that_was_not_given_decides_nothing() -> None:
    assert resolve({"spool.max_bytes": None}, environment=DATA).settings.spool.max_bytes == 8 * GIB


def test_several_texts_may_be_a_list_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "spanloop.toml"
    path.write_text("[store]\nmask_keys = ['password', 'user.email']\nmask_patterns = ['sk-\\w+', 'a,b']\n")
    store = resolve(environment=DATA, config_file=path).settings.store
    assert Mask.read(store.mask_keys, store.mask_patterns) == Mask(("password", "user.email"), (r"sk-\w+", "a,b"))
    path.write_text("[store]\nmask_keys = [1]\n")
    with pytest.raises(ConfigError, match=r"store\.mask_keys is \[1\]; expected text"):
        resolve(environment=DATA, config_file=path)


@pytest.mark.parametrize("variable", ["SPANLOOP_CLICKHOUSE_URL", "SPANLOOP_STORE_CLICKHOUSE_URL"])
def test_well_known_setting_has_a_short_name_beside_its_long_one(variable: str) -> None:
    url = "http://clickhouse:8123"
    assert resolve(environment=DATA | {variable: url}).settings.store.clickhouse_url == url


def test_empty_variable_of_an_optional_setting_means_none() -> None:
    assert resolve(environment=DATA | {"SPANLOOP_AUTH_TLS_KEY": ""}).settings.auth.tls_key is None


# Values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("67108864", 64 * MIB),
        ("64MiB", 64 * MIB),
        ("64 mib", 64 * MIB),
        ("1.5GiB", 3 * GIB // 2),
        ("65MB", 65_000_000),
    ],
)
def test_sizes_may_have_a_unit(text: str, expected: int) -> None:
    settings = resolve(environment=DATA | {"SPANLOOP_SPOOL_SEGMENT_BYTES": text}).settings
    assert settings.spool.segment_bytes == expected


@pytest.mark.parametrize("word", ["true", "1", "YES", "on"])
def test_words_for_true(word: str) -> None:
    assert resolve(environment=DATA | {"SPANLOOP_REQUIRE_KEYS": word}).settings.auth.require_keys is True


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        (
            "SPANLOOP_SPOOL_MAX_BYTES",
            "lots",
            "SPANLOOP_SPOOL_MAX_BYTES: spool.max_bytes is 'lots'; expected bytes",
        ),
        ("SPANLOOP_SPOOL_MAX_BYTES", "-1", "expected bytes"),
        ("SPANLOOP_SPOOL_MAX_BYTES", "8XiB", "expected bytes"),
        ("SPANLOOP_SPOOL_FSYNC", "perhaps", "expected true or false"),
        ("SPANLOOP_WRITE_CONNECTIONS", "2.5", "expected a whole number"),
        ("SPANLOOP_WRITE_CONNECTIONS", "0", "write.connections is 0; it must be positive"),
        ("SPANLOOP_WRITE_CONNECTIONS", "", "expected a whole number"),
        ("SPANLOOP_WRITE_FLUSH_AFTER_SECONDS", "soon", "expected a number"),
        ("SPANLOOP_WRITE_FLUSH_AFTER_SECONDS", "nan", "expected a finite number"),
        ("SPANLOOP_STORE_RETENTION_DAYS", "-1", "store.retention_days is -1; it must be 0 or positive"),
        ("SPANLOOP_RECEIVE_GRPC_ADDRESS", "4317", "receive.grpc_address is '4317'; expected host:port"),
        ("SPANLOOP_RECEIVE_GRPC_ADDRESS", "127.0.0.1:70000", "expected host:port"),
        ("SPANLOOP_RECEIVE_DEFAULT_PROJECT", "", "receive.default_project is empty"),
        ("SPANLOOP_STORE_DATABASE", "a-b", "store.database is 'a-b'; expected letters"),
        ("SPANLOOP_CLICKHOUSE_URL", "clickhouse:8123", "not of the form http"),
        ("SPANLOOP_CLICKHOUSE_URL", "http://host:notaport", "not of the form http"),
    ],
)
def test_wrong_value_is_named_with_its_fix(variable: str, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve(environment=DATA | {variable: text})


# Names


def test_unknown_variable_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="SPANLOOP_SPOOL_MAXBYTES is not a setting; did you mean SPANLOOP_SPOOL_MAX"):
        resolve(environment=DATA | {"SPANLOOP_SPOOL_MAXBYTES": "1GiB"})


def test_variables_of_the_instrumentation_are_none_of_our_business() -> None:
    resolve(environment=DATA | {"SPANLOOP_PROJECT": "x", "SPANLOOP_API_KEY": "y", "SPANLOOP_ENDPOINT": "z"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[spool]\nmax_byte = 1", "spool.max_byte is not a setting; did you mean spool.max_bytes"),
        ("spool = 1", "spool is not a setting"),
        ("zebra = 1", "zebra is not a setting; `spanloop check-config` lists all settings"),
        ("[spool", "is not valid TOML"),
        ("data_dir = 7", "data_dir is 7; expected text"),
        ("[spool]\nmax_bytes = [1]", "expected bytes"),
        ("[write]\nconnections = true", "expected a whole number"),
    ],
)
def test_wrong_config_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=message):
        resolve(environment={}, config_file=path)


def test_missing_config_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml cannot be read: No such file"):
        resolve(environment={}, config_file=tmp_path / "nowhere.toml")


# Settings that must fit together


@pytest.mark.parametrize("address", ["0.0.0.0:4317", "[::]:4317", "10.0.0.7:4317", "collector:4317"])
def test_address_beyond_loopback_needs_keys(address: str) -> None:
    environment = DATA | {"SPANLOOP_RECEIVE_GRPC_ADDRESS": address}
    with pytest.raises(ConfigError, match=r"SPANLOOP_REQUIRE_KEYS=true\), or auth.insecure"):
        resolve(environment=environment)
    resolve(environment=environment | {"SPANLOOP_REQUIRE_KEYS": "true"})
    resolve(environment=environment | {"SPANLOOP_INSECURE": "true"})


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.1.2.3:1", "localhost:1", "[::1]:1", "127.0.0.1:0"])
def test_loopback_needs_no_keys(address: str) -> None:
    resolve(environment=DATA | {"SPANLOOP_RECEIVE_GRPC_ADDRESS": address})


def test_two_listeners_cannot_share_a_port() -> None:
    with pytest.raises(ConfigError, match=r"receive.http_address is 127.0.0.1:4317, as is receive.grpc_address"):
        resolve(environment=DATA | {"SPANLOOP_RECEIVE_HTTP_ADDRESS": "127.0.0.1:4317"})


def test_listeners_may_all_ask_for_a_free_port() -> None:
    names = ("GRPC", "HTTP", "API")
    resolve(environment=DATA | {f"SPANLOOP_RECEIVE_{name}_ADDRESS": "127.0.0.1:0" for name in names})


def test_tls_needs_both_halves(tmp_path: Path) -> None:
    pem = tmp_path / "some.pem"
    pem.write_text("pem")
    for one, other in (
        ("CERTIFICATE", "tls_key"),
        ("KEY", "tls_certificate"),
        ("CLIENT_CA", "tls_certificate"),
    ):
        with pytest.raises(ConfigError, match=f"auth.{other}"):
            resolve(environment=DATA | {f"SPANLOOP_AUTH_TLS_{one}": str(pem)})


def test_unreadable_certificate_is_refused(tmp_path: Path) -> None:
    environment = {f"SPANLOOP_AUTH_TLS_{name}": str(tmp_path / name) for name in ("CERTIFICATE", "KEY")}
    with pytest.raises(ConfigError, match=r"auth.tls_certificate is .* cannot be read: No such file"):
        resolve(environment=DATA | environment)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"SPANLOOP_SPOOL_MAX_BYTES": "16MiB"}, "spool.segment_bytes is 150994944, more than spool.max_bytes"),
        (
            {"SPANLOOP_SPOOL_MAX_BYTES": "48MiB", "SPANLOOP_SPOOL_SEGMENT_BYTES": "16MiB"},
            "receive.max_message_bytes is .* raise spool.max_bytes",
        ),
        ({"SPANLOOP_RECEIVE_MAX_MESSAGE_BYTES": "3GiB"}, "gRPC carries at most 2147483647"),
        ({"SPANLOOP_SPOOL_SEGMENT_BYTES": "1KiB"}, "must be at least 65536"),
        ({"SPANLOOP_STORE_MAX_MEMORY_BYTES": "1MiB"}, "the embedded engine needs"),
        ({"SPANLOOP_STORE_CLUSTER": "main"}, "store.cluster needs a ClickHouse server"),
        ({"SPANLOOP_STORE_MASK_KEYS": "a, user..email"}, "store.mask_keys has 'user..email'; expected names"),
        ({"SPANLOOP_STORE_MASK_KEYS": ",".join(f"user{n}.name" for n in range(30))}, "name keys without it"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(environment: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve(environment=DATA | environment)


# What is shown


def test_sizes_are_shown_with_their_unit() -> None:
    assert origins()["spool.max_bytes"] == ("8GiB", "default")


def test_password_is_never_shown() -> None:
    shown = origins(SPANLOOP_CLICKHOUSE_URL="https://app:s3cret@host:8443")["store.clickhouse_url"]
    assert shown == ("https://app:***@host:8443", "SPANLOOP_CLICKHOUSE_URL")


@pytest.mark.parametrize("url", ["ftp://app:s3cret@host", "http://app:s3cret@host:port", "http://app:s3cret@:1"])
def test_password_is_not_in_the_refusal_either(url: str) -> None:
    with pytest.raises(ConfigError) as raised:
        resolve(environment=DATA | {"SPANLOOP_CLICKHOUSE_URL": url})
    assert "s3cret" not in str(raised.value)


def test_every_setting_has_help_and_a_name_of_its_own() -> None:
    fields = setting_fields()
    assert [field.key for field in fields if not field.help.endswith(".")] == []
    assert len({field.variable for field in fields}) == len({field.option for field in fields}) == len(fields)
