"""A whole desk works with a key for a while; then everything it has written, sent and answered is searched for it."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit
from uuid import uuid4

import pytest
import redis
import requests

from tests.stack import PASSWORD, ROOT, Stack

ORDER = {"symbol": "PF_XBTUSD", "side": "buy", "type": "limit", "size": "0.01", "limit_price": "1000"}
WRITES = re.compile(r"/(logout|keys/try-demo|parts)/")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    running = Stack().start()
    yield running
    running.stop()


class Worked:
    """What a person did there, and every answer they got."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.answers = stack, [b""]
        pair = _demo_key(stack)
        self.public, self.private = pair["public_key"], pair["private_key"]
        self.session = stack.signed_in()
        typed = {"label": "Mine", "environment": "demo", "public_key": self.public, "secret": self.private}
        self.post("/keys/add/", {**typed, "secret": self.private[:-8] + "AAAAAAA="})  # refused, and told so
        self.post("/keys/add/", typed)
        assert f"<code>{self.public[-4:]}</code>" in self.get("/keys/")
        self.invitation = self.invite()
        self.token = self.make_token()
        self.post("/orders/", {**ORDER, "intent": str(uuid4())})
        self.crawl()
        self.program()

    def get(self, path: str) -> str:
        answer = self.session.get(self.stack.url + path, timeout=20)
        self.answers.append(answer.content + str(answer.headers).encode())
        return answer.text

    def post(self, path: str, body: dict[str, str]) -> str:
        token = self.session.cookies["kfweb_csrf"]
        answer = self.session.post(
            self.stack.url + path,
            {**body, "csrfmiddlewaretoken": token},
            headers={"Referer": self.stack.url},
            timeout=30,
        )
        if path not in {"/keys/add/", "/people/invite/", "/tokens/make/"}:
            self.answers.append(answer.content + str(answer.headers).encode())
        else:
            assert self.private not in answer.text
        return answer.text

    def invite(self) -> str:
        text = self.post("/people/invite/", {"email": "new@example.test", "role": "viewer"})
        found = re.search(r"/invitation/([\w-]+)/", text)
        assert found, text
        return found[1]

    def make_token(self) -> str:
        text = self.post("/tokens/make/", {"label": "bot", "scopes": "read", "days": "7"})
        found = re.search(r"kfw_[\w-]{43}", text)
        assert found, text
        return found[0]

    def program(self) -> None:
        """What a program of the person's asks for, and what it gets wrong."""
        header, wrong = {"Authorization": f"Bearer {self.token}"}, {"Authorization": f"Token {self.token}"}
        names = ("accounts", "wallets", "positions", "orders", "fills", "withdrawals", "audit", "nothing")
        paths = [f"/api/v1/{name}" for name in names]
        for method, path, headers in (
            *(("GET", path, header) for path in paths), ("POST", paths[3], header), ("GET", paths[0], wrong),
            ("GET", f"{paths[0]}?token={self.token[:-1]}x", {}),
        ):  # fmt: skip
            answer = requests.request(method, self.stack.url + path, headers=headers, timeout=20)
            self.answers.append(answer.content + str(answer.headers).encode())

    def crawl(self) -> None:
        """Every page a link leads to, once."""
        waiting, seen = ["/", "/readyz", "/metrics", "/activity/export.csv", "/profile/sessions/"], set()
        while waiting and len(seen) < 80:
            path = waiting.pop()
            if path in seen or WRITES.search(path):
                continue
            seen.add(path)
            links = re.findall(r'href="([^"#]+)"', self.get(path))
            targets = (urlsplit(urljoin(self.stack.url + path, link)) for link in links)
            waiting += [one.path for one in targets if one.netloc == urlsplit(self.stack.url).netloc]
        assert len(seen) > 15


def _demo_key(stack: Stack) -> dict[str, str]:
    person = requests.post(f"{stack.demo_url}/demo/signup", json={"accept_terms": True}, timeout=10).json()
    wanted, basic = {"general": "full", "withdrawal": "none"}, (person["email"], person["password"])
    pair: dict[str, str] = requests.post(f"{stack.demo_url}/demo/keys", json=wanted, auth=basic, timeout=10).json()
    return pair


@pytest.fixture(scope="module")
def worked(stack: Stack) -> Worked:
    return Worked(stack)


def spellings(text: str) -> list[bytes]:
    """The text in every dress it might have been put into, and the bytes it stands for, if it is base64."""
    raw = [text.encode()]
    with suppress(ValueError):
        raw.append(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    found = [text.encode("utf-16-le"), quote(text, safe="").encode(), text.encode()[::-1]]
    for one in raw:
        found += [one, one.hex().encode(), one.hex().upper().encode(), base64.b32encode(one).rstrip(b"=")]
        found += [part for shift in range(3) for part in _base64_at(one, shift)]
    return [one for one in found if len(one) >= 12]


def _base64_at(raw: bytes, shift: int) -> list[bytes]:
    """Its base64 inside some other base64 text, which begins `shift` bytes earlier; both alphabets."""
    middle = base64.b64encode(b"\0" * shift + raw)[4 : (len(raw) + shift) // 3 * 4 - 4]
    return [middle, middle.replace(b"+", b"-").replace(b"/", b"_")]


def assert_nowhere(secrets: dict[str, str], where: str, content: bytes) -> None:
    for name, text in secrets.items():
        for spelling in spellings(text):
            assert spelling not in content, f"{name} is in {where}"


def key_of(worked: Worked) -> dict[str, str]:
    return {"the private key": worked.private, "the public key": worked.public, "the token": worked.token}


def files(stack: Stack) -> list[Path]:
    """Of the desk, not of its demo exchange, which made the key and must know it."""
    own = [path for path in stack.folder.rglob("*") if path.is_file() and "demovenue" not in path.parts]
    assert any(path.name.startswith("kfweb.sqlite3") for path in own) or "DATABASE_URL" in stack.environment
    assert any(path.suffix == ".log" for path in own)
    return own


def test_no_file_holds_a_secret(worked: Worked) -> None:
    for path in files(worked.stack):
        content = path.read_bytes()
        assert_nowhere({**key_of(worked), "the password": PASSWORD}, path.name, content)
        if path.suffix != ".log":  # without a mail server the letter with the link is printed
            assert_nowhere({"the invitation": worked.invitation}, path.name, content)


def test_the_store_and_its_task_messages_hold_no_secret(worked: Worked) -> None:
    url = worked.stack.environment.get("REDIS_URL") or f"unix://{_socket(worked.stack)}"
    store = redis.Redis.from_url(url)
    found = b"".join(key + (store.dump(key) or b"") + _plain(store, key) for key in store.keys("*"))
    assert b"kfweb" in found
    secrets = {**key_of(worked), "the password": PASSWORD, "the invitation": worked.invitation}
    session = worked.session.cookies["kfweb_session"]
    assert_nowhere({**secrets, "the session": session}, "the store", found)


def test_the_list_of_processes_holds_no_secret(worked: Worked) -> None:
    lines = b"".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in worked.stack.pids())
    assert b"manage.py" in lines
    assert_nowhere({**key_of(worked), "the password": PASSWORD}, "the list of processes", lines)


def test_no_answer_holds_a_secret(worked: Worked) -> None:
    worked.stack.read()
    content = b"\n".join(worked.answers) + worked.stack.output.encode()
    assert_nowhere({**key_of(worked), "the password": PASSWORD}, "an answer", content)
    master = (worked.stack.folder / "master.key").read_text().strip().rpartition(":")[2]
    assert_nowhere({"the master key": master}, "an answer", content)


def test_the_master_key_is_changed_while_the_desk_works(worked: Worked) -> None:
    """What was sealed under the old one is used at once under the new one, by processes that have run all the time."""
    before = (worked.stack.folder / "master.key").read_text()
    done = subprocess.run(
        [sys.executable, "manage.py", "rotate_vault", "--new-key", "--forget-old"],
        cwd=ROOT, env=worked.stack.environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "The older master keys are gone" in done.stdout
    after = (worked.stack.folder / "master.key").read_text()
    assert before.strip() not in after
    worked.post("/orders/", {**ORDER, "intent": str(uuid4())})
    header = {"Authorization": f"Bearer {worked.token}"}
    told = requests.get(f"{worked.stack.url}/api/v1/orders", headers=header, timeout=20).json()
    assert [one["state"] for one in told["items"]] == ["open", "open"], "the order before, and the one after"


def test_the_search_finds_what_is_there() -> None:
    """A search that finds nothing proves nothing, unless it finds what was hidden."""
    text = base64.b64encode(bytes(range(7, 71))).decode()
    raw = base64.b64decode(text)
    dresses = [
        text.encode(),
        raw,
        raw.hex().encode(),
        base64.b64encode(b"x" + text.encode()),
        quote(text).encode(),
        base64.urlsafe_b64encode(b"ab" + raw),
        text.encode("utf-16-le"),
    ]
    for hidden in dresses:
        with pytest.raises(AssertionError):
            assert_nowhere({"it": text}, "here", b"before" + hidden + b"after")


def _socket(stack: Stack) -> Path:
    found = list(stack.folder.rglob("store.sock"))
    assert found
    return found[0]


def _plain(store: redis.Redis, key: bytes) -> bytes:
    """Dumps are packed, so the values are read too."""
    kind = store.type(key)
    if kind == b"string":
        return store.get(key) or b""
    if kind == b"hash":
        return b"".join(name + value for name, value in store.hgetall(key).items())
    if kind == b"list":
        return b"".join(store.lrange(key, 0, -1))
    if kind == b"set":
        return b"".join(store.smembers(key))
    return b"".join(store.zrange(key, 0, -1)) if kind == b"zset" else b""
