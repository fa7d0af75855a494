"""The one way out to an address that a person typed: nothing inside our own network is ever reached through it.

The name is resolved here, every address it has is judged, and the connection goes to the very address that was judged:
a name that answers differently a moment later (DNS rebinding) gains nothing. A redirect is an answer, never followed.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

CONNECT_SECONDS, READ_SECONDS, ALL_SECONDS = 3.0, 5.0, 10.0
MOST_BYTES = 64 * 1024  # of an answer; what is longer is cut off
LONGEST_URL = 2000
PORTS = range(1024, 65536)  # besides 443: the rest belongs to other protocols

# What `ipaddress` calls global, and yet is not a stranger on the internet.
TRANSITION = [
    ipaddress.ip_network(net)
    for net in (
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64, local
        "2002::/16",  # 6to4
        "2001::/32",  # Teredo
        "3fff::/20",  # for documentation
    )
]
UNICAST = ipaddress.ip_network("2000::/3")  # all there is of IPv6 on the public internet
RELAYS = ipaddress.ip_network("192.88.99.0/24")  # of 6to4, of old
METADATA = [ipaddress.ip_address(address) for address in ("168.63.129.16", "100.100.100.200", "192.0.0.192")]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Forbidden(Exception):
    """The address is none that this desk calls. The text says why, and may be shown."""


class NoAnswer(Exception):
    """Nobody answered, or not in time, or not in HTTP. The text holds nothing of the address."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart, in a form that was checked."""

    scheme: str
    host: str
    port: int
    path: str  # with the query
    trusted: bool  # one of `KFWEB_WEBHOOK_INSIDE`: the operator's own word that it may be reached

    @property
    def place(self) -> str:
        """What may be shown of it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 and self.scheme == "https" else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300


def target_of(url: str) -> Target:
    """Take an address apart. Raises `Forbidden` for what can be refused by its look; nothing is asked of anybody."""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise Forbidden("This is not an address as it stands on the wire: plain letters, no spaces, no backslashes.")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise Forbidden("This is not a whole address. It looks like https://host/path.") from None
    if parts.scheme not in {"https", "http"} or not host:
        raise Forbidden("This is not a whole address. It looks like https://host/path.")
    if parts.username is not None or parts.password is not None:
        raise Forbidden("Leave name and password out of the address; the signature proves who is calling.")
    port = port or (443 if parts.scheme == "https" else 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if f"{host}:{port}" in settings.WEBHOOK_INSIDE:
        return Target(parts.scheme, host, port, path, trusted=True)
    if parts.scheme != "https":
        raise Forbidden("Only https: whoever listens on the way could read what plain http carries.")
    if port != 443 and port not in PORTS:
        raise Forbidden(f"Port {port} belongs to another protocol. Use 443, or one from 1024 on.")
    return Target(parts.scheme, host, port, path, trusted=False)


def why_forbidden(address: Address) -> str:
    """Why this address is not called, or "". Everything but a plain address of the public internet is refused."""
    if address.is_loopback or address.is_unspecified:
        return "this machine itself"
    if isinstance(address, ipaddress.IPv6Address) and (address.scope_id or any(address in net for net in TRANSITION)):
        return "an address that leads somewhere else than it says"
    if address in METADATA or address.is_link_local:
        return "an address of this network's own services"
    if address.is_multicast:
        return "an address of many"
    public = address in UNICAST if isinstance(address, ipaddress.IPv6Address) else address not in RELAYS
    if not public or not address.is_global or address.is_private or address.is_reserved:
        return "an address inside a private network"
    return ""


def resolve(target: Target) -> str:
    """The address to connect to. Raises `Forbidden` if any the name has is forbidden, `NoAnswer` if it has none."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError):
        raise NoAnswer("the name could not be resolved") from None
    addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
    if not target.trusted:
        for one in addresses:
            if why := why_forbidden(ipaddress.ip_address(one)):
                raise Forbidden(f"{target.host} is {why}. Only addresses of the public internet are called.")
    return addresses[0]


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send it once. Raises `Forbidden` or `NoAnswer`; a redirect comes back as the answer it is."""
    target = target_of(url)
    connection = _connection(target, resolve(target))
    late = threading.Event()
    timer = threading.Timer(ALL_SECONDS, _cut, [connection, late])
    timer.start()
    try:
        answer = _ask(connection, target, body, headers)
    except TimeoutError:
        raise NoAnswer("no answer in time") from None
    except (HTTPError, OSError, ValueError) as problem:
        raise NoAnswer(_in_words(problem)) from None
    finally:
        timer.cancel()
        connection.close()
    if late.is_set():  # what was read until then looks like an answer, and is none
        raise NoAnswer("no answer in time")
    return answer


def _connection(target: Target, address: str) -> HTTPConnection:
    """To the address, by the name: the certificate must be the name's."""
    if target.scheme == "http":
        return HTTPConnection(address, target.port, timeout=CONNECT_SECONDS)
    return HTTPSConnection(
        address,
        target.port,
        timeout=CONNECT_SECONDS,
        server_hostname=target.host,
        assert_hostname=target.host,
        cert_reqs="CERT_REQUIRED",
        ca_certs=DEFAULT_CA_BUNDLE_PATH,
    )


def _ask(connection: HTTPConnection, target: Target, body: bytes, headers: Mapping[str, str]) -> Answer:
    connection.connect()
    assert connection.sock is not None
    connection.sock.settimeout(READ_SECONDS)
    connection.timeout = READ_SECONDS
    connection.request(
        "POST",
        target.path,
        body=body,
        headers={"Host": target.place, "Content-Type": "application/json", "User-Agent": "kfweb", **headers},
        preload_content=False,
        decode_content=False,
    )
    response = connection.getresponse()
    return Answer(response.status, response.read(MOST_BYTES))


def _cut(connection: HTTPConnection, late: threading.Event) -> None:
    """An answer that drips byte by byte keeps every single read in time, and would keep a worker for ever."""
    late.set()
    sock = connection.sock
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it is closed already


def _in_words(problem: Exception) -> str:
    """Without the address, which may carry a token."""
    name = type(problem).__name__
    if "Timeout" in name:
        return "no answer in time"
    if "SSL" in name or "Certificate" in name:
        return "its certificate is not good for this name"
    if isinstance(problem, ConnectionRefusedError) or name == "NewConnectionError":
        return "nobody listens there"
    return "the connection broke off"
