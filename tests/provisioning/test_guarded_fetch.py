"""Fetching what a tenant names reaches the public internet only, within bounds of size and time."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.test import override_settings

from provisioning import guarded_fetch
from provisioning.guarded_fetch import FetchFailed, fetch_file, is_public_address
from tests.provisioning.list_server import ListServer, serve_lists


@pytest.fixture
def server() -> Iterator[ListServer]:
    with serve_lists() as served:
        yield served


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name have these addresses, and no connection be made."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(guarded_fetch.socket, "getaddrinfo", lambda *args, **kwargs: found)

    def refuse(address: tuple[str, int], timeout: float) -> socket.socket:
        raise OSError(f"connected to {address[0]}")

    monkeypatch.setattr(guarded_fetch.socket, "create_connection", refuse)


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "0.0.0.0", "169.254.169.254", "100.100.100.200"),
        *("168.63.129.16", "192.0.0.192", "198.18.0.1", "192.0.2.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "fec0::1"),
        *("::ffff:10.0.0.1", "::ffff:8.8.8.8", "::10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:a00:1::1"),
    ],
)
def test_an_address_inside_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_public_address(address)
    for addresses in ([address], ["8.8.8.8", address]):
        resolve_to(monkeypatch, *addresses)
        with pytest.raises(FetchFailed, match=r"There is no host inside\.example on the public internet"):
            fetch_file("https://inside.example/x")


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_public_address("2600:1f14::1")
    resolve_to(monkeypatch, "8.8.8.8")
    with pytest.raises(FetchFailed, match=r"connected to 8\.8\.8\.8"):
        fetch_file("https://outside.example/x")


@pytest.mark.parametrize("url", ["http://8.8.8.8/x", "https://8.8.8.8:8443/x", "http://outside.example/x"])
def test_only_https_on_its_own_port_is_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "8.8.8.8")
    with pytest.raises(FetchFailed, match="over https on port 443 only"):
        fetch_file(url)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "https://a:b@8.8.8.8/x", "https://8.8.8.8:99999/", "https:///x"])
def test_what_is_no_address_of_a_file_is_refused(url: str) -> None:
    with pytest.raises(FetchFailed, match="is no address"):
        fetch_file(url)


def test_a_host_that_the_operator_names_may_be_inside(server: ListServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.put("10.0.0.0/8")
    assert fetch_file(server.url()).data == b"10.0.0.0/8\n"
    assert server.asked[0][1]["Host"] == f"127.0.0.1:{server.port}"
    with override_settings(LIST_SOURCE_HOSTS=["files.example", "10.0.0.0/8"]), pytest.raises(FetchFailed):
        fetch_file(server.url())


def test_a_certificate_has_to_be_of_the_host_and_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("localhost", "other.example"):
        write_certificate(tmp_path, name)
    tls = {name: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for name in ("localhost", "other.example")}
    for name, context in tls.items():
        context.load_cert_chain(tmp_path / f"{name}.pem")
    with serve_lists("localhost", tls["localhost"]) as server:
        server.put("10.0.0.0/8")
        with pytest.raises(FetchFailed, match="CERTIFICATE_VERIFY_FAILED"):
            fetch_file(server.url())
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "localhost.pem"))
        assert fetch_file(server.url()).data == b"10.0.0.0/8\n"
    with serve_lists("localhost", tls["other.example"]) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.example.pem"))
        with pytest.raises(FetchFailed, match="Hostname mismatch"):
            fetch_file(server.url())


def write_certificate(folder: Path, name: str) -> None:
    """Write a key and a certificate for a host, signed with the key itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(pem, private, serialization.NoEncryption())
    (folder / f"{name}.pem").write_bytes(secret + certificate.public_bytes(pem))


def test_redirects_are_checked_and_few(server: ListServer) -> None:
    server.put("10.0.0.0/8")
    server.answers["/there"] = (302, {"Location": "/list.txt"}, b"")
    server.answers["/inside"] = (302, {"Location": "https://169.254.169.254/latest/"}, b"")
    server.answers["/round"] = (301, {"Location": "/round"}, b"")
    server.answers["/broken"] = (301, {"Location": "https://[/x"}, b"")
    server.answers["/file"] = (301, {"Location": "file:///etc/passwd"}, b"")
    assert fetch_file(server.url("/there")).data == b"10.0.0.0/8\n"
    for path, message in (
        ("/inside", r"no host 169\.254\.169\.254 on the public"),
        ("/round", "More than 3 redirects"),
        ("/file", "no address"),
        ("/broken", "no address"),
    ):
        with pytest.raises(FetchFailed, match=message):
            fetch_file(server.url(path))


def test_a_file_that_is_what_it_was_is_not_sent_again(server: ListServer) -> None:
    server.put("10.0.0.0/8", etag='"1"')
    first = fetch_file(server.url())
    assert fetch_file(server.url(), etag=first.etag).data is None
    server.put("10.0.0.0/9", etag='"2"')
    assert fetch_file(server.url(), etag=first.etag).data == b"10.0.0.0/9\n"


def test_what_is_too_large_compressed_cut_short_or_an_error_is_refused(
    server: ListServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded_fetch, "MAX_BYTES", 1_000_000)
    server.answers["/large"] = (200, {}, b"x" * 1_000_001)
    server.answers["/bomb"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"0" * 10_000_000))
    server.answers["/cut"] = (200, {"Content-Length": "100"}, b"10.0.0.0/8\n")
    server.answers["/down"] = (503, {}, b"")
    for path, message in (
        ("/large", "more than 1 MB"),
        ("/bomb", r"compressed \(gzip\)"),
        ("/cut", "ended before the file"),
        ("/down", "answered 503 Service Unavailable"),
        ("/missing", "answered 404"),
    ):
        with pytest.raises(FetchFailed, match=message):
            fetch_file(server.url(path))


def test_a_server_that_sends_byte_by_byte_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_fetch, "TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listening, override_settings(LIST_SOURCE_HOSTS=["127.0.0.1"]):

        def drip() -> None:
            connection, _ = listening.accept()
            with connection:
                try:
                    for _ in range(100):
                        connection.sendall(b"H")
                        threading.Event().wait(0.1)
                except OSError:
                    return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        with pytest.raises(FetchFailed, match="it took more than"):
            fetch_file(f"http://127.0.0.1:{listening.getsockname()[1]}/x")
        thread.join()
