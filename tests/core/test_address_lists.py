"""Files that list addresses are read as their sources publish them, and refused with the place of what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioning.core.formats import address_lists
from provisioning.core.formats.address_lists import BadAddressList, read_address_list
from provisioning.core.intent import InvalidIntent, normalise_body
from provisioning.core.intent.limits import Limit
from provisioning.core.intent.list_sources import ListSource

AWS = {
    "syncToken": "1",
    "prefixes": [
        {"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "AMAZON", "network_border_group": "x"},
        {"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "S3", "network_border_group": "x"},
        {"ip_prefix": "52.94.5.0/24", "region": "eu-west-1", "service": "S3", "network_border_group": "x"},
    ],
    "ipv6_prefixes": [{"ipv6_prefix": "2600:1f14::/35", "region": "us-west-2", "service": "S3"}],
}
AZURE = {
    "values": [
        {
            "name": "Storage",
            "properties": {"region": "", "systemService": "AzureStorage", "addressPrefixes": ["20.38.0.0/16"]},
        },
        {
            "name": "Storage.WestEurope",
            "properties": {
                "region": "westeurope",
                "systemService": "AzureStorage",
                "addressPrefixes": ["20.38.108.0/23", "2603:1020:206::/48"],
            },
        },
        {
            "name": "Sql",
            "properties": {"region": "", "systemService": "AzureSQL", "addressPrefixes": ["13.65.31.0/24"]},
        },
    ]
}
CLOUD_JSON = {
    "prefixes": [
        {"ipv4Prefix": "34.1.208.0/20", "service": "Google Cloud", "scope": "africa-south1"},
        {"ipv6Prefix": "2600:1900:8000::/44", "service": "Google Cloud", "scope": "africa-south1"},
        {"ipv4Prefix": "34.80.0.0/15", "service": "Google Cloud", "scope": "asia-east1"},
    ]
}
GOOG_JSON = {"prefixes": [{"ipv4Prefix": "8.8.4.0/24"}, {"ipv6Prefix": "2001:4860::/32"}]}


def read(document: Any, format: str, **source: Any) -> list[str]:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    fields: dict[str, Any] = {"services": (), "regions": (), **source}
    return read_address_list(data, ListSource("https://files.example/x", format, **fields))


def test_a_text_has_a_prefix_or_range_a_line_and_comments() -> None:
    text = b"\xef\xbb\xbf# feed\n10.1.0.0/16 ; SBL\n\n192.0.2.7,DE,,\r\n10.0.0.5 - 10.0.0.9\n2001:DB8::/32\n10.1.0.0/16"
    assert read(text, "text") == ["10.0.0.5-10.0.0.9", "10.1.0.0/16", "192.0.2.7/32", "2001:db8::/32"]
    assert read(text, "text", ipv6=False) == ["10.0.0.5-10.0.0.9", "10.1.0.0/16", "192.0.2.7/32"]


def test_the_clouds_own_files_are_read_by_service_and_region() -> None:
    assert read(AWS, "aws") == ["3.5.140.0/22", "52.94.5.0/24", "2600:1f14::/35"]
    assert read(AWS, "aws", services=("s3",), regions=("eu-west-1",)) == ["52.94.5.0/24"]
    assert read(AZURE, "azure", services=("Storage",)) == ["20.38.0.0/16", "20.38.108.0/23", "2603:1020:206::/48"]
    assert read(AZURE, "azure", services=("Storage.WestEurope",), ipv6=False) == ["20.38.108.0/23"]
    assert read(AZURE, "azure", services=("AzureStorage",), regions=("WestEurope",), ipv6=False) == ["20.38.108.0/23"]
    assert read(CLOUD_JSON, "gcp", regions=("asia-east1",)) == ["34.80.0.0/15"]
    assert read(GOOG_JSON, "gcp") == ["8.8.4.0/24", "2001:4860::/32"]


@pytest.mark.parametrize(
    ("document", "format", "source", "message"),
    [
        (b"10.0.0.0/8\n10.0.0.1/8\n", "text", {}, "Line 2: 10.0.0.1/8 has host bits set"),
        (b"!10.0.0.0/8\n", "text", {}, "Line 1: a source lists what is in the list"),
        (b"<html>\n", "text", {}, "Line 1: "),
        (b"\xff\xfe", "text", {}, "no UTF-8"),
        (AWS, "azure", {}, "The file has no list “values”"),
        (AWS, "gcp", {}, r"prefixes\[0\].ipv4Prefix is no text"),
        (b"{", "aws", {}, "The file is no JSON"),
        (b"[" * 100_000, "aws", {}, "The file is no JSON"),
        ({"prefixes": [1], "ipv6_prefixes": []}, "aws", {}, r"prefixes\[0\] is no object"),
        ({"values": [{"name": "x"}]}, "azure", {}, r"values\[0\].properties.addressPrefixes is no list"),
        (AWS, "aws", {"services": ("S4",)}, "The file names no service “S4”. There are AMAZON, S3."),
        (GOOG_JSON, "gcp", {"regions": ("asia-east1",)}, "The file names no region “asia-east1”. There are none."),
    ],
)
def test_what_is_wrong_with_a_file_is_told_by_its_place(
    document: Any, format: str, source: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadAddressList, match=message):
        read(document, format, **source)


def test_more_than_a_list_holds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address_lists, "ENTRIES", Limit(2, "entries", ""))
    with pytest.raises(BadAddressList, match=r"The file lists 3 prefixes; 2 is the most\. Name services or regions\."):
        read(AWS, "aws")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://files.example/x",
        "https://user:secret@files.example/x",
        "https://files.example\\@inside.example/x",
        "https://files.example/a b",
        "https:///x",
        "//files.example/x",
        "https://files.example:443x/",
        "https://файлы.example/x",
        "",
    ],
)
def test_an_address_that_is_not_plain_https_or_http_is_refused(url: str) -> None:
    with pytest.raises(InvalidIntent) as refused:
        normalise_body("prefix-lists", {"name": "x", "source": {"url": url}}, lambda kind, name: None)
    assert [problem.path for problem in refused.value.problems] == ["source.url"]


def test_a_text_has_no_services() -> None:
    source = {"url": "https://files.example/x", "services": ["S3"]}
    with pytest.raises(InvalidIntent, match="A text names no services"):
        normalise_body("prefix-lists", {"name": "x", "source": source}, lambda kind, name: None)
