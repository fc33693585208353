"""The signed document a node gets from the portal, verified and typed.

Its shape is that of ``core/node_document.py``. A document holds sections of many tenants; inside a tenant's section,
node names are that tenant's own (``{exchange key}/{1|2}``), and ``node`` is what that tenant calls this one.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, overload

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from provisioning.core.node_document import (
    VERSION,
    ConnectorBody,
    InstanceBody,
    PresenceBody,
    SectionJson,
    SectionKind,
    SegmentBody,
    VrfBody,
)
from provisioning.core.node_document_upgrade import upgrade_body

BodyT = TypeVar("BodyT", bound=Mapping[str, Any], covariant=True)


class UntrustedDocument(Exception):
    """The document was not signed by the portal this node enrolled with."""


class UnknownDocumentVersion(Exception):
    """The portal writes a later version than this agent knows. ``digest`` is the document's, for the next long poll."""

    def __init__(self, version: int, digest: str) -> None:
        super().__init__(
            f"the portal writes document version {version}, this agent knows {VERSION}: upgrade the agent. "
            "The document is refused, forwarding goes on as before"
        )
        self.digest = digest


@dataclass(frozen=True, slots=True)
class DocumentSection(Generic[BodyT]):
    """One resource of one tenant on this node."""

    key: str
    tenant: str
    address: str
    kind: str
    digest: str
    node: str
    body: BodyT


@dataclass(frozen=True, slots=True)
class NodeDocument:
    """A verified document. ``serial`` is what the node reports; ``digest`` is of the text as it was signed, the long
    poll names it to learn of a newer one."""

    serial: int
    sections: Mapping[str, DocumentSection[Mapping[str, Any]]]
    digest: str
    text: str
    signature: str

    @overload
    def of_kind(
        self, kind: Literal["exchange.segment"], tenant: str | None = None
    ) -> list[DocumentSection[SegmentBody]]: ...
    @overload
    def of_kind(self, kind: Literal["exchange.vrf"], tenant: str | None = None) -> list[DocumentSection[VrfBody]]: ...
    @overload
    def of_kind(
        self, kind: Literal["exchange.connector"], tenant: str | None = None
    ) -> list[DocumentSection[ConnectorBody]]: ...
    @overload
    def of_kind(
        self, kind: Literal["exchange.instance"], tenant: str | None = None
    ) -> list[DocumentSection[InstanceBody]]: ...
    @overload
    def of_kind(
        self, kind: Literal["exchange.presence"], tenant: str | None = None
    ) -> list[DocumentSection[PresenceBody]]: ...

    def of_kind(self, kind: SectionKind, tenant: str | None = None) -> Any:
        """Return the sections of a kind: every tenant's, or one tenant's."""
        return [
            section for section in self.sections.values() if section.kind == kind and tenant in (None, section.tenant)
        ]


EMPTY_DOCUMENT = NodeDocument(serial=0, sections={}, digest="", text="", signature="")


def verify_document(text: str, signature: str, public_key: Ed25519PublicKey) -> NodeDocument:
    """Return the document in ``text``.

    Raises UntrustedDocument, UnknownDocumentVersion for one of a later version, and ValueError or KeyError for one that
    makes no sense. A document of the version before is read as the present one.
    """
    raw = text.encode()
    try:
        public_key.verify(base64.b64decode(signature), raw)
    except InvalidSignature:
        raise UntrustedDocument(
            "the document's signature is not the portal's; refused, forwarding goes on as before"
        ) from None
    digest = hashlib.sha256(raw).hexdigest()
    document = json.loads(text)
    version = int(document["version"])
    if version > VERSION:
        raise UnknownDocumentVersion(version, digest)
    return NodeDocument(
        serial=int(document["serial"]),
        sections={key: parse_section(key, section) for key, section in document["sections"].items()},
        digest=digest,
        text=text,
        signature=signature,
    )


def parse_section(key: str, section: SectionJson) -> DocumentSection[Mapping[str, Any]]:
    return DocumentSection(
        key=key,
        tenant=section["tenant"],
        address=section["address"],
        kind=section["kind"],
        digest=section["digest"],
        node=section["self"],
        body=upgrade_body(section["kind"], section["body"]),
    )
