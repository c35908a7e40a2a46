"""The places that serve the model, one row each. A new endpoint is a row here, or one in the user's own settings."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kcode.errors import UsageError
from kcode.pricing import Price
from kcode.providers.dialects import Dialect

if TYPE_CHECKING:
    from collections.abc import Mapping


CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class WebSearch:
    """A search that the endpoint runs itself, told to it by a `declaration` among the tools.

    The model's call of `name` is answered with its own arguments. `price` is in US dollars a call, None where it is
    not known, as seen on `date`.
    """

    name: str
    declaration: Mapping[str, Any]
    price: float | None = None
    date: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place that serves the model.

    `key_variables` are tried in order; they and the key stored as `key_name` are for the host of `base_url` alone.
    `models` lists the known ids, the first is the default. `window` and `output_limit` are in tokens; without an output
    limit the endpoint's own holds. `key_page` says where a user gets a key. `kimi` says whether the models are of the
    Kimi family where their ids do not tell. `reports_cost`: it says what each reply cost. `is_live` is False for replies from a file. `key_check` is
    the path that answers to good keys alone; without one that has to be found out.
    """

    name: str
    title: str
    base_url: str
    key_variables: tuple[str, ...] = ()
    key_page: str = ""
    key_name: str = ""
    key_check: str | None = None
    models: tuple[str, ...] = ()
    dialect: Dialect = field(default_factory=Dialect)
    window: int = 262_144
    output_limit: int | None = 65_536
    prices: Mapping[str, Price] = field(default_factory=dict)
    kimi: bool | None = None
    reports_cost: bool = False
    web_search: WebSearch | None = None
    is_live: bool = True

    @property
    def host(self) -> str:
        """The host's name with its port, if the URL has one."""
        return urlsplit(self.base_url).netloc

    @property
    def keeps_its_host(self) -> bool:
        """False where the user gave a URL of another host than the row's."""
        return self.key_name == self.name

    @property
    def is_loopback(self) -> bool:
        """True when the host is this machine, as its name alone tells."""
        return is_loopback_host(urlsplit(self.base_url).hostname or "")


def is_loopback_host(host: str) -> bool:
    """True for a name or an address that means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def move_endpoint(row: Endpoint, url: str) -> Endpoint:
    """The row at another URL. The row's key is not for another host."""
    moved = replace(row, base_url=checked_url(url))
    if moved.host == row.host:
        return moved
    return replace(moved, key_variables=(), key_page="", key_name=moved.host)


def checked_url(url: str) -> str:
    """The base URL as requests need it; UsageError for one that kcode does not talk to."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as bad:
        raise UsageError(f"The base URL {url!r} is not valid: {bad}.") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise UsageError(f"The base URL {url!r} is not valid: it looks like https://HOST/v1.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError("The base URL must hold neither a name or password nor ? or #. A key goes to KCODE_API_KEY.")
    if parts.scheme == "http" and not is_loopback_host(host):
        raise UsageError(
            f"The base URL {url!r} is not encrypted. Plain http is for this machine only (127.0.0.1, localhost): use "
            "https, or a tunnel such as ssh -L."
        )
    return url.rstrip("/").removesuffix("/chat/completions")


# Prices: the vendors' price pages, on the dates given.
_K2_THINKING = "kimi-k2-thinking"
_K2_PRICE = Price(0.60, 2.50, 0.15, "2026-07-02")
_MOONSHOT = Endpoint(
    name="moonshot",
    title="Moonshot",
    base_url="https://api.moonshot.ai/v1",
    key_variables=("MOONSHOT_API_KEY",),
    key_page="platform.moonshot.ai → API keys",
    key_check="/models",
    models=(_K2_THINKING, "kimi-k2-thinking-turbo"),
    dialect=Dialect(cache_key="prompt_cache_key"),
    prices={_K2_THINKING: _K2_PRICE, "kimi-k2-thinking-turbo": Price(1.15, 8.00, 0.15, "2026-07-02")},
    # Charged for each reply that calls it; what it found counts as tokens of the next request.
    web_search=WebSearch(
        "$web_search", {"type": "builtin_function", "function": {"name": "$web_search"}}, 0.005, "2026-11-27"
    ),
)
_HUB_ID = "moonshotai/kimi-k2-thinking"
# The Hugging Face path is the name under which the engines serve a model unless they are told another one.
_ENGINE_ID = "moonshotai/Kimi-K2-Thinking"
_ROWS = (
    _MOONSHOT,
    replace(
        _MOONSHOT,
        name="moonshot-cn",
        title="Moonshot (China)",
        base_url="https://api.moonshot.cn/v1",
        key_page="platform.moonshot.cn → API keys",
        prices={},  # charged in yuan
        web_search=replace(_MOONSHOT.web_search, price=None) if _MOONSHOT.web_search else None,
    ),
    Endpoint(
        name="openrouter",
        title="OpenRouter",
        base_url="https://openrouter.ai/api/v1",
        key_variables=("OPENROUTER_API_KEY",),
        key_page="openrouter.ai/keys",
        models=(_HUB_ID,),
        dialect=Dialect(
            reasoning_out="reasoning_details",
            body={
                "usage": {"include": True},
                "reasoning": {"enabled": True},
                # Moonshot's own machines write valid tool calls most reliably; the others stand in when it is busy.
                "provider": {"order": ["moonshotai"], "allow_fallbacks": True},
            },
            headers={"X-OpenRouter-Title": "kcode", "X-OpenRouter-Categories": "cli-agent"},
        ),
        prices={_HUB_ID: Price(0.60, 2.50, None, "2026-07-02")},
        reports_cost=True,
    ),
    Endpoint(
        name="haimaker",
        title="haimaker",
        base_url="https://api.haimaker.ai/v1",
        key_variables=("HAIMAKER_API_KEY",),
        key_page="haimaker.ai",
        models=(_HUB_ID,),
        # A LiteLLM proxy, which refuses a message with calls that has no content at all.
        dialect=Dialect(reasoning_out="reasoning_content", empty_content="null"),
        prices={_HUB_ID: Price(0.60, 2.50, None, "2026-07-02")},
    ),
    Endpoint(
        name="evolink",
        title="EvoLink",
        base_url="https://direct.evolink.ai/v1",
        key_variables=("EVOLINK_API_KEY",),
        key_page="evolink.ai → API keys",
        models=(_K2_THINKING, "kimi-k2-thinking-turbo"),
        # Its reference names `max_tokens` alone.
        dialect=Dialect(reasoning_out="reasoning_content", max_tokens_key="max_tokens"),
        web_search=WebSearch("$web_search", {"type": "builtin_function", "function": {"name": "$web_search"}}),
    ),
    Endpoint(
        name="invoicedream",
        title="InvoiceDream",
        base_url="https://api.invoicedream.co.kr/v1",
        key_variables=("INVOICEDREAM_API_KEY",),
        key_page="invoicedream.co.kr",
        models=(_HUB_ID,),
        # It passes requests on to OpenRouter.
        dialect=Dialect(body={"usage": {"include": True}}),
    ),
    Endpoint(
        name="vllm",
        title="vLLM",
        base_url="http://127.0.0.1:8000/v1",
        key_variables=("VLLM_API_KEY",),
        models=(_ENGINE_ID,),
        # Up to 0.15 it reads `reasoning_content`, from 0.16 on `reasoning` alone: what it sends is what it reads.
        dialect=Dialect(reasoning_out="as_it_came"),
    ),
    Endpoint(
        name="sglang",
        title="SGLang",
        base_url="http://127.0.0.1:30000/v1",
        key_variables=("SGLANG_API_KEY",),
        models=(_ENGINE_ID,),
        # Without a reasoning parser the reasoning comes as <think> in the content; the template still reads this key.
        dialect=Dialect(reasoning_out="reasoning_content"),
    ),
    Endpoint(
        name="ktransformers",
        title="KTransformers",
        base_url="http://127.0.0.1:31245/v1",
        models=(_ENGINE_ID,),
        dialect=Dialect(reasoning_out="reasoning_content"),
        # Its examples run with 30K to 100K; what the server says of itself counts.
        window=98_304,
    ),
    Endpoint(
        name="llama-cpp",
        title="llama.cpp",
        base_url="http://127.0.0.1:8080/v1",
        key_variables=("LLAMA_API_KEY",),
        models=(_ENGINE_ID,),
        dialect=Dialect(reasoning_out="reasoning_content"),
    ),
    Endpoint(name=CUSTOM, title="the custom endpoint", base_url="", output_limit=32_768),
)
ENDPOINTS: Mapping[str, Endpoint] = {row.name: replace(row, key_name=row.name) for row in _ROWS}
