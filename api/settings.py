"""Settings: the only place where the environment is read. What each is for stands in docs/settings.md.

No key and no secret is taken from the environment: secrets come from files that only their owner may read.
"""

import os
from pathlib import Path
from typing import Final

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SEARCHES: Final = 60
"""Searches an hour that a user has in a real register, at most."""


def environment() -> dict[str, str]:
    """Return this process's environment, for children that get it with changes."""
    return dict(os.environ)


class Settings(BaseSettings):
    """What can be set from outside; the law's terms cannot (they lie in the policy file)."""

    model_config = SettingsConfigDict(
        env_prefix="THEME_REGISTER_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    home: Path = Field(default=Path("register.home"), description="Folder of graph, log and certificates.")
    keys: Path | None = Field(default=None, description="Folder of the keys; default: a sibling, `<HOME>.keys`.")
    keystore_url_file: Path | None = Field(
        default=None,
        description="File (0600) with the URL of a PostgreSQL database for the key store; default: `KEYS/keystore.url` "
        "if it is there, otherwise SQLite in KEYS.",
    )
    host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    metrics_from: str = Field(
        default="127.0.0.0/8,::1",
        description="Addresses or networks, with commas, that may read `/metrics`; nobody may through a proxy.",
    )
    http_port: int = Field(default=8470, ge=0, le=65535, description="TCP port the API listens on; 0: any free one.")
    url: str | None = Field(default=None, description="Address of the running API, for commands that speak to it.")
    key_file: Path | None = Field(default=None, description="File (0600) with the caller's API key.")
    replicate_minutes: int = Field(
        default=10, ge=1, le=1440, description="How often the keeper brings replicas of keys and log up to date."
    )
    anchor_address: str | None = Field(
        default=None, description="Transit anchor: address of the key server (OpenBao or Vault), https://HOST:PORT."
    )
    anchor_key: str | None = Field(
        default=None,
        description="Transit anchor, read by `init` only: name of the key; default: `theme-register-` and the id.",
    )
    anchor_mount: str = Field(
        default="transit", description="Transit anchor, read by `init` only: path of the transit engine."
    )
    anchor_token_file: Path | None = Field(
        default=None, description="Transit anchor: file (0600) with the key server's token."
    )
    anchor_authorities: Path | None = Field(
        default=None, description="Transit anchor: PEM file of the authorities that may vouch for the key server."
    )
    anchor_passphrase_file: Path | None = Field(
        default=None, description="Passphrase anchor: file (0600) with the passphrase; absent: the terminal is asked."
    )
    witnesses: Path | None = Field(
        default=None,
        description="File with the verifier keys of the log's witnesses, one a line; absent: nobody.",
    )
    witnesses_needed: int = Field(
        default=1,
        ge=1,
        le=100,
        description="How many witnesses have to cosign a checkpoint before it counts.",
    )
    language: str = Field(default="en", pattern="^(en|nl)$", description="Language of texts for people: en or nl.")
    searches: int = Field(
        default=SEARCHES,
        ge=1,
        le=1_000_000,
        description="Searches an hour for each user; above 60 in a rehearsal register only.",
    )
    heap: str = Field(default="1g", pattern="^[0-9]+[mg]$", description="Java heap of the embedded Neo4j server.")
    cache: Path | None = Field(default=None, description="Folder of downloaded jars; default: the user's cache folder.")
    neo4j_uri: str | None = Field(
        default=None,
        validation_alias=AliasChoices("NEO4J_URI", "neo4j_uri"),
        description="Bolt address of a Neo4j server; absent: the embedded server is used.",
    )
    neo4j_username: str = Field(
        default="neo4j",
        validation_alias=AliasChoices("NEO4J_USERNAME", "neo4j_username"),
        description="User of that server.",
    )
    neo4j_password_file: Path | None = Field(
        default=None,
        validation_alias=AliasChoices("NEO4J_PASSWORD_FILE", "neo4j_password_file"),
        description="File (0600) with that user's password.",
    )
    neo4j_password: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("NEO4J_PASSWORD", "neo4j_password"),
        description="That user's password, for tests on a throw-away server; use the file otherwise.",
    )
    java_home: Path | None = Field(
        default=None,
        validation_alias=AliasChoices("JAVA_HOME", "java_home"),
        description="A Java to use instead of the packaged one, if it is new enough.",
    )
    xdg_cache_home: Path | None = Field(
        default=None,
        validation_alias=AliasChoices("XDG_CACHE_HOME", "xdg_cache_home"),
        description="The user's cache folder; default: `~/.cache`.",
    )

    @property
    def keys_folder(self) -> Path:
        """The folder of the keys."""
        return self.keys or self.home.with_name(self.home.name + ".keys")

    @property
    def cache_folder(self) -> Path:
        """The folder of downloaded jars."""
        return self.cache or (self.xdg_cache_home or Path.home() / ".cache") / "theme-register"

    @property
    def api_url(self) -> str:
        """The address at which commands reach the running API."""
        return self.url or f"http://{self.host}:{self.http_port}"
