"""The places that serve the model, one row each, and which of them the settings mean."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kcode.errors import UsageError
from kcode.pricing import Price
from kcode.providers.dialects import Dialect
from kcode.settings import read_credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kcode.settings import Settings


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place that serves the model.

    `key_variables` are tried in order; they and the stored key are for the host of `base_url` alone. `models` lists
    the known ids, the first is the default. `window` and `output_limit` are in tokens; without an output limit the
    endpoint's own holds. `key_page` says where a user gets a key.
    """

    name: str
    title: str
    base_url: str
    key_variables: tuple[str, ...] = ()
    key_page: str = ""
    models: tuple[str, ...] = ()
    dialect: Dialect = field(default_factory=Dialect)
    window: int = 262_144
    output_limit: int | None = 65_536
    prices: Mapping[str, Price] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The host's name with its port, if the URL has one."""
        return urlsplit(self.base_url).netloc

    @property
    def is_loopback(self) -> bool:
        """True when the host is this machine, as its name alone tells."""
        return _is_loopback(urlsplit(self.base_url).hostname or "")


# Prices: Moonshot's price page and OpenRouter's model page, on the date given.
_MOONSHOT_PRICES = {
    "kimi-k2-thinking": Price(0.60, 2.50, 0.15, "2026-07-02"),
    "kimi-k2-thinking-turbo": Price(1.15, 8.00, 0.15, "2026-07-02"),
}
_MOONSHOT = Endpoint(
    name="moonshot",
    title="Moonshot",
    base_url="https://api.moonshot.ai/v1",
    key_variables=("MOONSHOT_API_KEY",),
    key_page="platform.moonshot.ai → API keys",
    models=("kimi-k2-thinking", "kimi-k2-thinking-turbo"),
    dialect=Dialect(cache_key="prompt_cache_key"),
    prices=_MOONSHOT_PRICES,
)
_CUSTOM = "custom"
ENDPOINTS: Mapping[str, Endpoint] = {
    row.name: row
    for row in (
        _MOONSHOT,
        replace(
            _MOONSHOT,
            name="moonshot-cn",
            title="Moonshot (China)",
            base_url="https://api.moonshot.cn/v1",
            key_page="platform.moonshot.cn → API keys",
            prices={},  # charged in yuan
        ),
        Endpoint(
            name="openrouter",
            title="OpenRouter",
            base_url="https://openrouter.ai/api/v1",
            key_variables=("OPENROUTER_API_KEY",),
            key_page="openrouter.ai/keys",
            models=("moonshotai/kimi-k2-thinking",),
            dialect=Dialect(
                reasoning_out="reasoning_details",
                body={"usage": {"include": True}},
                headers={"X-OpenRouter-Title": "kcode", "X-OpenRouter-Categories": "cli-agent"},
            ),
            prices={"moonshotai/kimi-k2-thinking": Price(0.60, 2.50, None, "2026-07-02")},
        ),
        Endpoint(
            name=_CUSTOM,
            title="the custom endpoint",
            base_url="",
            dialect=Dialect(max_tokens_key=None),
            output_limit=None,
        ),
    )
}
_OTHER_MODELS_WINDOW = 131_072


def resolve_endpoint(settings: Settings, environment: Mapping[str, str]) -> Endpoint:
    """The row that the settings mean, with their base URL and window in it.

    Where they name none: the first row with a key in the environment or the credentials file, else Moonshot. Raises
    UsageError for an unknown name and for a URL that kcode does not talk to.
    """
    name = settings.endpoint or (_CUSTOM if settings.base_url else None) or _with_a_key(settings, environment)
    row = ENDPOINTS.get(name)
    if row is None:
        raise UsageError(f"There is no endpoint {name!r}. Known endpoints: {', '.join(ENDPOINTS)}.")
    if settings.base_url:
        row = replace(row, base_url=_checked_url(settings.base_url))
    elif not row.base_url:
        raise UsageError("The custom endpoint needs a URL: --base-url URL, or KCODE_BASE_URL.")
    return replace(row, window=settings.window) if settings.window else row


def resolve_model(endpoint: Endpoint, settings: Settings) -> str:
    """The model's id; UsageError where neither the user nor the row names one."""
    model = settings.model or next(iter(endpoint.models), None)
    if model is None:
        raise UsageError(f"Which model does {endpoint.host} serve? Name it with --model ID, or KCODE_MODEL.")
    return model


def window_for(endpoint: Endpoint, model: str, settings: Settings) -> int:
    """How many tokens prompt and reply may have together; an unknown model on a custom endpoint gets a careful 128K."""
    if settings.window is None and endpoint.name == _CUSTOM and "kimi" not in model.lower():
        return _OTHER_MODELS_WINDOW
    return endpoint.window


def find_key(endpoint: Endpoint, settings: Settings, environment: Mapping[str, str]) -> str | None:
    """The key for this endpoint, and for no other: `KCODE_API_KEY`, the endpoint's own variable, the credentials file.

    None for an endpoint on this machine that has none. UsageError says where to get a key and where to put it.
    """
    if key := settings.key or _own_key(endpoint, settings, environment):
        # Anything else would end in an error of the HTTP library, which shows the key.
        if not key.isascii() or not key.isprintable() or " " in key:
            raise UsageError(
                f"The key for {endpoint.title} ({endpoint.host}) holds a blank, a line break or a letter that is not "
                "ASCII, as no key does. Copy it again, whole and alone."
            )
        return key
    if endpoint.is_loopback:
        return None
    keeps = _keeps_its_host(endpoint)
    variable = endpoint.key_variables[0] if keeps and endpoint.key_variables else "KCODE_API_KEY"
    lines = [f"There is no key for {endpoint.title} ({endpoint.host})."]
    if keeps and endpoint.key_page:
        lines.append(f"Get one at {endpoint.key_page}.")
    lines.append(f"Then set it in the environment: export {variable}=…")
    if settings.credentials:
        lines.append(f'Or put the line {_stored_name(endpoint)} = "…" into {settings.credentials} (chmod 600).')
    raise UsageError("\n".join(lines))


def _own_key(endpoint: Endpoint, settings: Settings, environment: Mapping[str, str]) -> str | None:
    if _keeps_its_host(endpoint):
        for variable in endpoint.key_variables:
            if key := environment.get(variable, "").strip():
                return key
    stored = read_credentials(settings.credentials) if settings.credentials else {}
    return stored.get(_stored_name(endpoint).strip('"'))


def _stored_name(endpoint: Endpoint) -> str:
    """The name of a key in the credentials file: the row's, or the host where the user gave a URL, so none strays."""
    return endpoint.name if _keeps_its_host(endpoint) else f'"{endpoint.host}"'


def _keeps_its_host(endpoint: Endpoint) -> bool:
    row = ENDPOINTS.get(endpoint.name)
    return row is not None and bool(row.base_url) and row.host == endpoint.host


def _with_a_key(settings: Settings, environment: Mapping[str, str]) -> str:
    rows = [row for row in ENDPOINTS.values() if row.base_url]
    for row in rows:
        if any(environment.get(variable, "").strip() for variable in row.key_variables):
            return row.name
    if settings.key or settings.credentials is None:
        return _MOONSHOT.name
    stored = read_credentials(settings.credentials)
    return next((row.name for row in rows if row.name in stored), _MOONSHOT.name)


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as bad:
        raise UsageError(f"The base URL {url!r} is not valid: {bad}.") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise UsageError(f"The base URL {url!r} is not valid: it looks like https://HOST/v1.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError("The base URL must hold neither a name or password nor ? or #. A key goes to KCODE_API_KEY.")
    if parts.scheme == "http" and not _is_loopback(host):
        raise UsageError(
            f"The base URL {url!r} is not encrypted. Plain http is for this machine only (127.0.0.1, localhost): use "
            "https, or a tunnel such as ssh -L."
        )
    return url.rstrip("/").removesuffix("/chat/completions")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
