"""The root key under its anchor, and who may replace it."""

from typing import Final

from sqlalchemy import Connection, select, update

from register.errors import Tampered, Unavailable
from vault.anchors import Anchor
from vault.formats import prefixed
from vault.keystore import schema

ROOT_LABEL: Final = b"theme-register/root-key/1"


def unwrap_root(anchor: Anchor, version: int, wrapped: bytes, register: str, generation: int) -> bytes:
    """Return a root key. Raises Unavailable (its anchor version is not there), Tampered."""
    try:
        return anchor.unwrap(version, wrapped, root_aad(register, generation))
    except Tampered as cause:
        if cause.code != "tampered":
            raise
        raise Tampered("root.damaged", f"the root key does not open under anchor version {version}") from None


def root_aad(register: str, generation: int) -> bytes:
    """Return what a root key is bound to under its anchor."""
    return prefixed(ROOT_LABEL, register.encode(), generation.to_bytes(4, "big"))


def raise_fence(connection: Connection, fence: int) -> None:
    """Take `fence` inside a write transaction. Raises Unavailable: a higher one was taken."""
    held = connection.execute(select(schema.register.c.fence)).scalar_one()
    if fence < held:
        raise Unavailable("fence.passed", f"fence {fence} is below {held}: another keeper has taken over")
    if fence > held:
        connection.execute(update(schema.register).values(fence=fence))


def moved() -> Unavailable:
    """Return the error of a process whose root key was replaced."""
    return Unavailable("generation.moved", "the keys were replaced; this process has to be started anew")
