"""The settings: what they take, what they refuse in one line, and their description."""

import re
from pathlib import Path

import pytest

from application.settings import InvalidSettings, Settings, load_settings
from services.redis.durability import Durability
from tests.servers import ROOT


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [*Settings.model_fields, "redis_endpoint_uri"]:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("value", "url", "address"),
    [
        ("localhost:6379", "redis://localhost:6379/0", "localhost:6379"),
        ("redis-1.example.com:12345", "redis://redis-1.example.com:12345/0", None),
        ("localhost", "redis://localhost:6379/0", "localhost:6379"),
        ("[::1]:6380", "redis://[::1]:6380/0", "[::1]:6380"),
        ("redis://localhost", "redis://localhost:6379/0", "localhost:6379"),
        ("redis://me:secret@h:1/3", "redis://me:secret@h:1/3", "h:1"),
        ("rediss://h:6380?ssl_cert_reqs=none", "rediss://h:6380/0?ssl_cert_reqs=none", "h:6380"),
        (
            "redis+sentinel://me:secret@a,b:2/chat/3?sentinel_password=x",
            "redis+sentinel://me:secret@a:26379,b:2/chat/3?sentinel_password=x",
            "a:26379,b:2/chat",
        ),
        (
            "redis+cluster://me:secret@a,b:2",
            "redis+cluster://me:secret@a:6379,b:2",
            "a:6379,b:2",
        ),
        ("rediss+cluster://[::1]/0", "rediss+cluster://[::1]:6379", "[::1]:6379"),
        (
            "rediss+sentinel://[::1]:1/chat?ssl_cert_reqs=none",
            "rediss+sentinel://[::1]:1/chat/0?ssl_cert_reqs=none",
            "[::1]:1/chat",
        ),
        ("unix:///run/redis.sock", "unix:///run/redis.sock", "/run/redis.sock"),
        ("unix:///run/redis.sock?db=2", "unix:///run/redis.sock?db=2", "/run/redis.sock"),
        ("unix://:secret@/run/redis.sock", "unix://:secret@/run/redis.sock", "/run/redis.sock"),
    ],
)
@pytest.mark.parametrize("name", ["REDIS_ENDPOINT_URL", "REDIS_ENDPOINT_URI"])
def test_every_way_to_name_a_store(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, url: str, address: str | None
) -> None:
    monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.store_url == url
    assert settings.store_address == (address or value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_ENDPOINT_URL", "http://localhost:6379"),
        ("REDIS_ENDPOINT_URL", "localhost:port"),
        ("REDIS_ENDPOINT_URL", "localhost:99999"),
        ("REDIS_ENDPOINT_URL", "local host:6379"),
        ("REDIS_ENDPOINT_URL", ":6379"),
        ("REDIS_ENDPOINT_URL", "redis://localhost:6379/zero"),
        ("REDIS_ENDPOINT_URL", "redis://localhost:6379/0?socket_timeout=soon"),
        ("REDIS_ENDPOINT_URL", "redis://localhost:6379/0?colour=blue"),
        ("REDIS_ENDPOINT_URL", "redis://a:1,b:2"),
        ("REDIS_ENDPOINT_URL", "rediss://localhost?ssl_cert_reqs=perhaps"),
        ("REDIS_ENDPOINT_URL", "rediss://localhost?ssl_ca_certs=/nowhere.pem"),
        ("REDIS_ENDPOINT_URL", "rediss://localhost?ssl_min_version=5"),
        ("REDIS_ENDPOINT_URL", "redis+cluster://a,:1"),
        ("REDIS_ENDPOINT_URL", "redis+cluster://a:1/2"),
        ("REDIS_ENDPOINT_URL", "redis+cluster://a:1?colour=blue"),
        ("REDIS_ENDPOINT_URL", "redis+sentinel://a:1"),
        ("REDIS_ENDPOINT_URL", "redis+sentinel://a:1,:2/chat"),
        ("REDIS_ENDPOINT_URL", "redis+sentinel://a:1/chat/zero"),
        ("REDIS_ENDPOINT_URL", "redis+sentinel://a:1/chat/0/1"),
        ("REDIS_ENDPOINT_URL", "redis+sentinel://a:1/chat?sentinel_colour=blue"),
        ("REDIS_ENDPOINT_URL", "redis+watch://a:1/chat"),
        ("REDIS_ENDPOINT_URL", "unix://"),
        ("REDIS_ENDPOINT_URL", "redis://[::1:6379"),
        ("PORT", "http"),
        ("PORT", "65536"),
        ("SESSION_TTL_SECONDS", "0"),
        ("DEMO_DATA", "perhaps"),
        ("APPENDFSYNC", "no"),
        ("WAIT_REPLICAS", "-1"),
        ("WAIT_REPLICAS", "1"),
        ("WAIT_DISK", "soon"),
        ("ALLOWED_ORIGINS", "https://a.example,b.example"),
        ("ALLOWED_ORIGINS", "https://a.example/path"),
        ("MAX_BATCH_SIZE", "-1"),
        ("TRUSTED_DOCUMENTS", "nowhere.json"),
        ("LOG_LEVEL", "loud"),
        ("METRICS", "on"),
        ("METRICS", "99999"),
        ("METRICS", ":9464"),
        ("METRICS", "localhost:http"),
        ("METRICS", "/"),
        ("METRICS", "/graphql"),
        ("METRICS", "/readyz"),
        ("METRICS", "/a?b"),
    ],
)
def test_a_wrong_value_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings) as caught:
        load_settings()
    message = str(caught.value)
    assert message.startswith(f"{name}: should ")
    assert "\n" not in message


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "http")
    monkeypatch.setenv("DEMO_DATA", "perhaps")
    with pytest.raises(InvalidSettings, match=r"PORT: .*; DEMO_DATA: "):
        load_settings()


def test_what_is_empty_has_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(name.upper(), "")
    assert load_settings() == Settings()
    assert load_settings().store_url is None


def test_how_safe_a_message_has_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().durability == Durability()
    monkeypatch.setenv("WAIT_DISK", "true")
    assert load_settings().durability == Durability(disk=True)
    monkeypatch.setenv("WAIT_REPLICAS", "2")
    monkeypatch.setenv("REDIS_ENDPOINT_URL", "localhost")
    assert load_settings().durability == Durability(replicas=2, disk=True)


def test_origins_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_ORIGINS", "https://a.example, http://localhost:5173/ ,")
    assert load_settings().allowed_origins == ("https://a.example", "http://localhost:5173")


def test_trusted_documents_are_in_a_file_or_a_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bot.json").write_text('{"a": "{ me { id } }"}')
    (tmp_path / "web.json").write_text('{"b": "{ eventCursor }"}')
    monkeypatch.setenv("TRUSTED_DOCUMENTS", "bot.json")
    assert load_settings().trusted_documents == {"a": "{ me { id } }"}
    monkeypatch.setenv("TRUSTED_DOCUMENTS", ".")
    assert load_settings().trusted_documents == {"a": "{ me { id } }", "b": "{ eventCursor }"}


@pytest.mark.parametrize("content", [None, "{", "[]", '{"a": 1}'])
def test_trusted_documents_of_no_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    if content is not None:
        (folder / "a.json").write_text(content)
    monkeypatch.setenv("TRUSTED_DOCUMENTS", "documents")
    with pytest.raises(InvalidSettings, match=r"^TRUSTED_DOCUMENTS: should name a JSON file"):
        load_settings()


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("off", None),
        ("Off", None),
        ("9464", ("127.0.0.1", 9464)),
        ("0.0.0.0:9464", ("0.0.0.0", 9464)),
        ("[::]:9464", ("::", 9464)),
        ("/internal/metrics", "/internal/metrics"),
    ],
)
def test_every_place_for_metrics(
    monkeypatch: pytest.MonkeyPatch, value: str, place: object
) -> None:
    monkeypatch.setenv("METRICS", value)
    assert load_settings().metrics == place


def test_the_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", "secret")
    settings = load_settings()
    assert settings.store_password == "secret"
    assert "secret" not in repr(settings)


def test_the_environment_goes_before_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=1111\nHOST=0.0.0.0\nSOMEBODY_ELSES=1\n")
    monkeypatch.setenv("PORT", "2222")
    settings = load_settings()
    assert (settings.port, settings.host) == (2222, "0.0.0.0")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("REDIS_PASSWORD=Zoé".encode("latin-1"))
    with pytest.raises(InvalidSettings, match=r"^Cannot read \.env: ") as caught:
        load_settings()
    assert "Zo" not in str(caught.value)


def test_the_sample_lists_every_setting_with_meaning_and_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = (ROOT / ".env.sample").read_text()
    comments = {
        match[2]: match[1].replace("\n# ", " ")
        for match in re.finditer(r"^# (.+(?:\n# .+)*)\n([A-Z_]+)=", text, re.MULTILINE)
    }
    listed = re.findall(r"^([A-Z_]+)=", text, re.MULTILINE)
    assert listed == list(comments)
    assert sorted(listed) == sorted(name.upper() for name in Settings.model_fields)
    for name, field in Settings.model_fields.items():
        assert field.description is not None
        meaning = field.description.rstrip(".")
        assert comments[name.upper()].startswith(meaning), name
    (tmp_path / ".env").write_text(text)
    from_sample = load_settings()
    monkeypatch.setattr(Settings, "model_config", {**Settings.model_config, "env_file": None})
    assert from_sample == Settings()
    # A default that is left empty in the sample is one that cannot be written down.
    empty = re.findall(r"^([A-Z_]+)=$", text, re.MULTILINE)
    assert empty == [
        "REDIS_ENDPOINT_URL",
        "REDIS_PASSWORD",
        "ALLOWED_ORIGINS",
        "TRUSTED_PROXIES",
        "TRUSTED_DOCUMENTS",
    ]
