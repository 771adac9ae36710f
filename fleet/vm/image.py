"""The image of the machines: a file that is there, or one that is fetched once and kept by its checksum."""

from __future__ import annotations

import hashlib
import os
import ssl
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.error import URLError

from fleet.errors import HostError, UsageError
from fleet.host.files import private_directory
from fleet.model.checksum import sha256_of
from fleet.vm.plan import format_of
from fleet.vm.spec import Image

CHUNK = 1 << 20
FETCH_SECONDS = 60.0
"""Without a byte."""


class Fetch(Protocol):
    """Opens a URL."""

    def __call__(self, url: str) -> BinaryIO:
        """A stream of its content. OSError when it cannot be had."""
        ...


def https(url: str) -> BinaryIO:
    """Over TLS that is verified; redirects stay on https because the checksum decides in any case."""
    context = ssl.create_default_context()
    answer: BinaryIO = urllib.request.urlopen(url, timeout=FETCH_SECONDS, context=context)  # noqa: S310 - https only
    return answer


def ensure_image(image: Image, cache: Path, *, fetch: Fetch = https, tell: Callable[[str], None]) -> tuple[Path, str]:
    """The image's file and format (`qcow2`, `raw`).

    UsageError for a file that is not there or not what its checksum says; HostError for one that cannot be fetched.
    """
    if image.path:
        file = Path(image.path)
        for path in (file, *(Path(other) for other in (image.kernel, image.initrd) if other)):
            if not path.is_file():
                raise UsageError(f"image: {path} is not there; nothing was changed")
        if image.sha256:
            _check(sha256_of(file), image.sha256, str(file))
    else:
        file = cache / "images" / image.sha256
        if not file.exists():
            tell(f"fetching {image.url}")
            _download(image, file, fetch)
    with file.open("rb") as stream:
        return file, format_of(stream.read(8))


def _download(image: Image, file: Path, fetch: Fetch) -> None:
    private_directory(file.parent)
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    digest = hashlib.sha256()
    try:
        with fetch(image.url) as source, fresh.open("xb") as target:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                target.write(chunk)
        _check(digest.hexdigest(), image.sha256, image.url)
        fresh.rename(file)
    except (OSError, URLError) as error:
        raise HostError(f"{image.url} cannot be fetched ({error}): give the image by its path") from error
    finally:
        fresh.unlink(missing_ok=True)


def _check(found: str, wanted: str, what: str) -> None:
    if found != wanted:
        raise UsageError(f"image: {what} has sha256 {found}, not {wanted}: it is another file; nothing was started")
