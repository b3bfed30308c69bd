"""Downloads Debian's rust-src package of one Rust version, checked against the archive's signature.

usage: fetch-rust-src.py VERSION FILE

The mirrors are those of this machine's own apt sources; the suite is trixie-backports, the one
that carries current compilers. The release file's signature vouches for the package index, the
index for the package. Any failure is one line on stderr.
"""

import glob
import hashlib
import lzma
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

SUITE = "trixie-backports"
KEYRINGS = [
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
]


def mirrors():
    """The archive addresses of the apt sources, without the security archive's."""
    found = []
    files = ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*.list"))]
    for text in read_all(files):
        for line in text.splitlines():
            match = re.match(r"deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)", line.strip())
            if match and "security" not in match[2]:
                found.append(match[1])
    for text in read_all(sorted(glob.glob("/etc/apt/sources.list.d/*.sources"))):
        for stanza in re.split(r"\n\s*\n", text):
            lines = "\n".join(line for line in stanza.splitlines() if not line.startswith("#"))
            fields = dict(re.findall(r"(?m)^(\S+):\s*(.*(?:\n[ \t].*)*)$", lines))
            if "deb" in fields.get("Types", "").split() and "security" not in fields.get("Suites", ""):
                found += fields.get("URIs", "").split()
    for uri in list(found):
        if uri.startswith("mirror+file:"):
            for text in read_all([uri.removeprefix("mirror+file:")]):
                found += [line.split()[0] for line in text.splitlines() if line.strip() and line[0] != "#"]
    usable = [uri.rstrip("/") for uri in found if uri.startswith(("http://", "https://", "file:"))]
    return list(dict.fromkeys(usable))


def read_all(paths):
    for path in paths:
        if os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                yield file.read()


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


def verified_release(base):
    """The suite's release file, once its signature has been checked."""
    keyring = next((path for path in KEYRINGS if os.path.exists(path)), None)
    # apt brings the one or the other; only their calls differ.
    if shutil.which("gpgv"):
        verify = ["gpgv"]
    elif shutil.which("sqv"):
        verify = ["sqv", "--cleartext"]
    else:
        verify = None
    if not verify or not keyring:
        raise RuntimeError("neither gpgv nor sqv with Debian's archive keys is there to check signatures")
    with tempfile.TemporaryDirectory() as folder:
        signed, plain = os.path.join(folder, "InRelease"), os.path.join(folder, "Release")
        with open(signed, "wb") as file:
            file.write(get(f"{base}/dists/{SUITE}/InRelease"))
        check = subprocess.run([*verify, "--keyring", keyring, "--output", plain, signed], capture_output=True)
        if check.returncode != 0:
            raise RuntimeError(f"the signature of {SUITE} at {base} is not one of Debian's")
        with open(plain, encoding="utf-8") as file:
            return file.read()


def package(base, version):
    """The package's content, from the newest Debian build of exactly this version."""
    arch = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    folder = f"main/binary-{arch.stdout.strip()}"
    listed = re.search(rf"(?m)^ ([0-9a-f]{{64}}) +\d+ {folder}/Packages\.xz$", verified_release(base))
    if not listed:
        raise RuntimeError(f"{SUITE} at {base} lists no {folder}/Packages.xz")
    # Asked for by its checksum, the index is the one just vouched for, whatever a cache holds.
    index = get(f"{base}/dists/{SUITE}/{folder}/by-hash/SHA256/{listed[1]}")
    if hashlib.sha256(index).hexdigest() != listed[1]:
        raise RuntimeError(f"the package index at {base} does not match its signed checksum")
    for stanza in reversed(lzma.decompress(index).decode().split("\n\n")):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line)
        if fields.get("Package") == "rust-src" and re.match(rf"{re.escape(version)}[+-]", fields["Version"]):
            content = get(f"{base}/{fields['Filename']}")
            if hashlib.sha256(content).hexdigest() != fields["SHA256"]:
                raise RuntimeError(f"the package from {base} does not match its signed checksum")
            return content
    raise RuntimeError(f"{SUITE} at {base} has no rust-src {version}")


def main(version, target):
    reasons = []
    for base in mirrors():
        try:
            content = package(base, version)
        except Exception as error:  # whatever is wrong with one mirror, the next may do
            reasons.append(str(error))
            continue
        with open(target, "wb") as file:
            file.write(content)
        return
    sys.exit("; ".join(reasons) or "this machine's apt sources name no Debian mirror")


main(*sys.argv[1:])
