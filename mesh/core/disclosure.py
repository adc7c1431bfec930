"""Which values of settings and objects may be shown, in reports, previews, messages and logs.

Two kinds of values are hidden: those that people set freely, since they may be credentials (values of environment
variables, of headers that a route sets, and of proxy metadata), and those that are credentials by their name or form.
Numbers, booleans and durations are shown, and so are the variables that Istio and this project define and those that
the stack declares public (`mesh:publicValues`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import yaml

from mesh.core import documents
from mesh.core.diff import Path
from mesh.core.errors import show
from mesh.core.secure import HIDDEN, is_placeholder

_HARMLESS: Final = re.compile(
    r"|true|false|yes|no|on|off|[-+]?[0-9]+([.,][0-9]+)?%?|([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h|d))+", re.I
)
"""Empty, a boolean, a number, a percentage or a duration."""
_CREDENTIAL: Final = re.compile(
    r"://[^/\s@]*:[^/\s@]*@"
    r"|[?&][^=&\s]*(pass(word|wd|phrase)?|secret|token|key|signature|sig|credential|auth)=[^&\s]"
    r"|\b(bearer|basic|negotiate)\\?\s+\S"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\beyJ[\w-]+\.[\w-]+\.",
    re.I,
)
"""Part of a value that is a credential: a URL's password or token, an HTTP authentication, a private key, a JWT."""
_TELLING: Final = re.compile(
    r"(pass(word|wd|phrase)?|(access|api|auth|encryption|private|secret|secretaccess|signing)key(id)?|clientsecret"
    r"|sharedsecret|token|credentials?|apikey)(value)?$"
)
"""End of the name of a field that holds a credential; names are compared in small letters without separators."""
_TELLING_HEADER: Final = re.compile(r"auth(?!or)|authori[sz]|cookie|credential|key|pass|secret|session|signature|token")
"""Part of the name of a header that holds a credential, or of a cookie in the header's value."""
_CLAIM: Final = "@request.auth.claims"
"""Prefix of the name of a header that stands for a claim of a token. The name of the claim follows."""
_PRIVATE_JWK: Final = ("k", "d", "p", "q", "dp", "dq", "qi")
"""Members of a JSON web key that are secret (RFC 7518)."""
_OWN_NAMES: Final = """
    BADGER_DIRECTORY_KEY BADGER_DIRECTORY_VALUE BADGER_EPHEMERAL BADGER_SPAN_STORE_TTL CHAINED_CNI_PLUGIN CNI_CONF_NAME
    CNI_NET_DIR COLLECTOR_ZIPKIN_HTTP_PORT GF_AUTH_ANONYMOUS_ENABLED GF_AUTH_ANONYMOUS_ORG_ROLE GF_AUTH_BASIC_ENABLED
    GF_SECURITY_ADMIN_USER GF_USERS_ALLOW_SIGN_UP LOG_DIR LOG_FORMAT LOG_LEVEL LOG_SAMPLER_RATE LOG_TIME_FIELD_FORMAT
    MEMORY_MAX_TRACES QUERY_BASE_PATH REDIS_SOCKET_TYPE REDIS_URL REPAIR_BROKEN-POD-LABEL-KEY
    REPAIR_BROKEN-POD-LABEL-VALUE REPAIR_DELETE-PODS REPAIR_INIT-CONTAINER-NAME REPAIR_LABEL-PODS REPAIR_RUN-AS-DAEMON
    REPAIR_SIDECAR-ANNOTATION RUNTIME_ROOT RUNTIME_SUBDIRECTORY SPAN_STORAGE_TYPE USE_STATSD
"""
_OWN: Final = frozenset(_OWN_NAMES.split())
"""Environment variables that this project's components set themselves, besides those of Istio."""
_SEPARATORS: Final = re.compile(r"[\s/:;,?&=@#%]+")
_WORD: Final = 6
"""Minimum length of the values that messages are searched for even without quotes around them."""
_IDENTIFYING: Final = ("name", "key")


@dataclass(frozen=True)
class Disclosure:
    """Decides which values are shown."""

    public: frozenset[str] = frozenset()
    """Names of the variables, headers and metadata whose values are shown: those that the release of Istio defines, and
    those that the stack declares public."""

    def is_credential(self, path: Path, value: Any) -> bool:
        """Whether the value at a path (of settings or of an object) is a credential by its name or form. Only strings
        can be. A document as text, such as the mesh config, is not a credential, but may contain one."""
        if not _is_sensitive(value):
            return False
        kind, name = _free(_plain(path))
        is_public = name in self.public or name in _OWN
        says = _CREDENTIAL.search(value) or (not is_public and kind.tells(name, value))
        return bool(says) and document(value, path) is None

    def hides(self, path: Path, value: Any) -> bool:
        """Whether the value is hidden: a credential, or set freely."""
        if self.is_credential(path, value):
            return True
        kind, name = _free(_plain(path))
        return kind.is_free and _is_sensitive(value) and name not in self.public and name not in _OWN

    def masked(self, value: Any, path: Path = ()) -> Any:
        """The value with `[secret]` in place of all that is hidden, also within YAML and JSON texts."""
        return _replaced(value, path, self.hides)

    def concealed(self, text: str, values: Any) -> str:
        """A message about values, with `[secret]` in place of the hidden ones."""
        hidden = list[str]()

        def note(value: str) -> str:
            hidden.append(value)
            return HIDDEN

        _replaced(values, (), self.hides, note)
        for value in sorted(hidden, key=len, reverse=True):
            quoted = show(value)
            text = text.replace(quoted, HIDDEN).replace(quoted.removesuffix("…"), HIDDEN)
            for part in (value, *_SEPARATORS.split(value)):  # a message may quote a part, or propose a changed one
                text = text.replace(part, HIDDEN) if len(part) >= _WORD else text
        return text

    def pseudonymous(self, value: Any, path: Path = ()) -> Any:
        """The value with texts such as `[secret]-1` in place of credentials; equal ones have the same."""
        return _replaced(value, path, self.is_credential, _pseudonym)

    def without_credentials(self, value: Any, path: Path = ()) -> Any:
        """The value with `[secret]` in place of credentials alone."""
        return _replaced(value, path, self.is_credential)


DEFAULT: Final = Disclosure()
"""The disclosure without public names."""


_PSEUDONYMS: Final[dict[str, str]] = {}
"""Pseudonyms by credential, numbered in the order in which they are needed, so that equal reports have equal ones."""


def _pseudonym(value: str) -> str:
    return _PSEUDONYMS.setdefault(value, f"{HIDDEN}-{len(_PSEUDONYMS) + 1}")


def _replaced(
    value: Any, path: Path, is_hidden: Callable[[Path, Any], bool], cover: Callable[[str], str] = lambda _: HIDDEN
) -> Any:
    if isinstance(value, Mapping):
        return {key: _replaced(item, (*path, str(key)), is_hidden, cover) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(item, (*path, step(item, i)), is_hidden, cover) for i, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    if is_hidden(path, value):
        return cover(value)
    inner = document(value, path)
    if inner is None:
        return value
    shown = _replaced(inner, path, is_hidden, cover)
    return value if shown == inner else written(shown, value)


def _is_sensitive(value: Any) -> bool:
    return isinstance(value, str) and not _HARMLESS.fullmatch(value) and not is_placeholder(value)


def _plain(path: Path) -> list[str]:
    """The steps of a path, with the names of items of lists without brackets."""
    return [step[1:-1] if step.startswith("[") else step for step in path]


def document(text: str, path: Path = ()) -> Mapping[str, Any] | None:
    """The mapping that a text holds as JSON, or as YAML of several lines; None if it holds none.

    In the annotation `proxy.istio.io/config` a single line of YAML counts too."""
    if not (text.lstrip().startswith("{") or "\n" in text or path[-1:] == ("proxy.istio.io/config",)):
        return None
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, Loader=yaml.CSafeLoader)
    except (ValueError, yaml.YAMLError):
        return None
    return found if isinstance(found, Mapping) else None


def written(content: Mapping[str, Any], like: str) -> str:
    """A mapping as text, in the format of the text `like`: JSON or YAML."""
    if like.lstrip().startswith("{"):
        return json.dumps(content)
    return documents.dump(dict(content), sort_keys=False)


def name(text: str) -> str:
    """A name, or a step of a path, without a credential in it."""
    return f"[{HIDDEN}]" if _CREDENTIAL.search(text) else text


def step(item: Any, index: int) -> str:
    """The step of a path for an item of a list: its name or key if it has one, else its index."""
    if isinstance(item, Mapping):
        for key in _IDENTIFYING:
            if isinstance(item.get(key), str):
                return f"[{item[key]}]"
    return f"[{index}]"


class _Place(NamedTuple):
    """The kind of the value at a path."""

    tells: Callable[[str, str], bool]
    """Whether its name (or value) says that it is a credential."""
    is_free: bool
    """Whether people set it freely."""


def _field_tells(name: str, value: str) -> bool:
    return bool(_TELLING.search(_letters(name))) and not value.startswith("/")  # a file's path


def _variable_tells(name: str, _value: str) -> bool:
    return bool(_TELLING.search(_letters(name))) or _letters(name).endswith("secret")


def _header_tells(name: str, value: str) -> bool:
    header = name.lower().removeprefix(_CLAIM)
    return bool(_TELLING_HEADER.search(value.lower() if header == "cookie" else header))


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


_FIELD: Final = _Place(_field_tells, is_free=False)
_VARIABLE: Final = _Place(_variable_tells, is_free=True)
_SET_HEADER: Final = _Place(_header_tells, is_free=True)
_REQUIRED_HEADER: Final = _Place(_header_tells, is_free=False)
"""A header that a route or rule requires. Its value is shown, since reviews are about such values."""
_WEB_KEY: Final = _Place(lambda *_: True, is_free=False)


def _free(steps: list[str]) -> tuple[_Place, str]:
    """The kind of the value at a path, and the name of the variable, header or field."""
    match steps:
        case [*_, "env", name, "value"] | [*_, "env" | "apm.datadoghq.com/env" | "proxyMetadata", name]:
            return _VARIABLE, name
        case [*_, "headers", "request" | "response", "set" | "add", name]:
            return _SET_HEADER, name
        case [*_, "headers" | "withoutHeaders", name, "exact" | "prefix" | "regex"] | [*_, "headers", name]:
            return _REQUIRED_HEADER, name
        case [*_, "when", key, "values" | "notValues", _] if key.startswith("request.headers["):
            return _REQUIRED_HEADER, key.removeprefix("request.headers[").rstrip("]")
        case [*_, "keys", _, name] if name in _PRIVATE_JWK:
            return _WEB_KEY, name
    return _FIELD, steps[-1] if steps else ""
