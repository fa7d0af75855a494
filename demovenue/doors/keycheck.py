"""`/api/auth`: what a key may do, said without the wrapper of the trading API."""

from __future__ import annotations

from demovenue.doors.answers import encode, iso
from demovenue.doors.call import Call
from demovenue.doors.table import Family, Right, Table

_WORDS = {"none": "NO_ACCESS", "read": "READ_ONLY", "full": "FULL_ACCESS"}


def add_routes(table: Table) -> None:
    path = "/api/auth/v1/api-keys/v3/check"
    table.add("GET", path, check, right=Right.ANY, family=Family.KEYCHECK)


def check(call: Call) -> bytes:
    key = call.key
    assert key is not None
    return encode(
        {
            "apiKey": key.public,
            "accountUid": key.account_uid,
            "iiban": None,
            "createdAt": iso(key.created.replace(microsecond=0)),
            "permissions": {"general": _WORDS[key.general], "transfer": _WORDS[key.withdrawal]},
            "allowedCidrBlock": None,
            "allowedCidrBlocks": [],
        }
    )
