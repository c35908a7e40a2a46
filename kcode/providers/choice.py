"""Which endpoint, model and sizes the settings mean."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kcode.errors import UsageError
from kcode.providers.dialects import Profile, dialect_for, is_kimi
from kcode.providers.endpoints import CUSTOM, ENDPOINTS, move_endpoint
from kcode.providers.own_endpoints import add_own_rows
from kcode.settingsfiles import read_credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kcode.providers.endpoints import Endpoint
    from kcode.settings import Settings

_OTHER_MODELS_WINDOW = 131_072


def known_endpoints(settings: Settings) -> dict[str, Endpoint]:
    """The table with the rows of the user's own settings in it."""
    return add_own_rows(ENDPOINTS, settings.endpoints)


def resolve_endpoint(settings: Settings, environment: Mapping[str, str]) -> Endpoint:
    """The row that the settings mean, with their base URL and window in it.

    Where they name none: the first row with a key in the environment or the credentials file, else Moonshot. Raises
    UsageError for an unknown name and for a URL that kcode does not talk to.
    """
    rows = known_endpoints(settings)
    name = settings.endpoint or (CUSTOM if settings.base_url else None) or _with_a_key(rows, settings, environment)
    row = rows.get(name)
    if row is None:
        raise UsageError(f"There is no endpoint {name!r}. Known endpoints: {', '.join(rows)}.")
    if settings.base_url:
        row = move_endpoint(row, settings.base_url)
    elif not row.base_url:
        raise UsageError("The custom endpoint needs a URL: --base-url URL, or KCODE_BASE_URL.")
    return replace(row, window=settings.window) if settings.window else row


def resolve_model(endpoint: Endpoint, settings: Settings) -> str:
    """The model's id; UsageError where neither the user nor the row names one."""
    model = settings.model or next(iter(endpoint.models), None)
    if model is None:
        raise UsageError(
            f"Which model does {endpoint.host} serve? `kcode models` lists them; name one with --model ID, or KCODE_MODEL."
        )
    return model


def profile_for(endpoint: Endpoint, model: str, window: int | None = None) -> Profile:
    """What the endpoint takes for the model; `window` is the user's own word, or what was learned.

    An unknown model on a custom endpoint gets a careful 128K.
    """
    careful = endpoint.name == CUSTOM and not is_kimi(model)
    size = window or (min(endpoint.window, _OTHER_MODELS_WINDOW) if careful else endpoint.window)
    return Profile(dialect_for(endpoint.dialect, model, kimi=endpoint.kimi), size, endpoint.output_limit)


def _with_a_key(rows: Mapping[str, Endpoint], settings: Settings, environment: Mapping[str, str]) -> str:
    usable = [row for row in rows.values() if row.base_url]
    for row in usable:
        if any(environment.get(variable, "").strip() for variable in row.key_variables):
            return row.name
    default = next(iter(rows))
    if settings.key or settings.credentials is None:
        return default
    stored = read_credentials(settings.credentials)
    return next((row.name for row in usable if row.key_name in stored), default)
