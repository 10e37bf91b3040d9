"""Read mutated mail until N inputs are done: nothing may raise, none may take a second.

Seeds are the golden messages and, when they are there, the shared corpora. A failing input is
written beside where this was started. Run: python benchmarks/fuzz_parse.py --inputs 1000000
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from multiprocessing import Pool
from pathlib import Path

from backend.inbound.inspect import inspect_mail
from backend.mime.parse import parse
from backend.mime.sanitise import sanitise_html

ROOT = Path(__file__).resolve().parents[1]
SEEDS = (ROOT / "tests/golden/inbound/mails", ROOT / ".." / "shared" / "corpora" / "mail")
SLOWEST = 1.0  # seconds
BATCH = 2_000
LARGEST = 20_000  # bytes; a longer seed is cut
TOKENS = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\x00", b"\xff", b"\x1b$B", b"=?utf-8?B?", b"=?gb2312?Q?",
    b"?=", b"--", b"boundary=", b"Content-Type: multipart/mixed; boundary=b\r\n", b"--b\r\n",
    b"Content-Transfer-Encoding: base64\r\n", b"Content-Type: message/rfc822\r\n\r\n",
    b"Content-Disposition: attachment; filename*0*=utf-8''%e2; filename*1=x\r\n", b"charset=utf-7",
    b"charset=iso-2022-jp", b"begin 644 f\n", b"\nend\n", b"\x78\x9f\x3e\x22", b"PK\x05\x06",
    b"Content-Type: message/delivery-status\r\n\r\n", b"Final-Recipient: rfc822; a@b.example\r\n",
    b"Status: 5.1.1\r\n", b"> ", b"On Monday, Jo wrote:\r\n", b"-- \r\n", b"From: ", b"<", b">",
    b'"', b"(", b";", b",", b"=", b"%", b"<table>", b"<a href='", b"&#x110000;", b"<!--",
]  # fmt: skip


def seeds() -> list[bytes]:
    found = [path for folder in SEEDS if folder.is_dir() for path in sorted(folder.rglob("*.eml"))]
    return [path.read_bytes()[:LARGEST] for path in found]


def mutated(chance: random.Random, originals: list[bytes]) -> bytes:
    data = bytearray(chance.choice(originals))
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice((0, 1, 4, 40, 400)))
        what = chance.randrange(6)
        if what == 0:
            data[at:end] = b""
        elif what == 1:
            data[at:at] = chance.choice(TOKENS) * chance.choice((1, 1, 1, 3, 50))
        elif what == 2:
            data[at:end] = chance.randbytes(end - at)
        elif what == 3:
            data[at:at] = data[at:end] * chance.choice((1, 2, 10))
        elif what == 4 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        else:
            other = chance.choice(originals)
            begin = chance.randrange(len(other) + 1)
            data[at:end] = other[begin : begin + chance.choice((10, 100, 1000))]
    return bytes(data[: 4 * LARGEST])


def batch(seed: int) -> tuple[int, float, list[tuple[bytes, str]]]:
    chance, originals = random.Random(seed), seeds()
    slowest, bad = 0.0, []
    for _ in range(BATCH):
        raw = mutated(chance, originals)
        began = time.process_time()
        try:
            inspect_mail(raw)
            if b"html" in raw:
                sanitise_html(parse(raw).html)
        except Exception:  # noqa: BLE001 - what it looks for
            bad.append((raw, traceback.format_exc()))
        spent = time.process_time() - began
        slowest = max(slowest, spent)
        if spent > SLOWEST:
            bad.append((raw, f"took {spent:.2f} s"))
    return BATCH, slowest, bad


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    done, slowest, failures, began = 0, 0.0, 0, time.monotonic()
    first = asked.seed * 1_000_000
    with Pool(asked.jobs) as pool:
        for count, spent, bad in pool.imap_unordered(
            batch, range(first, first + -(-asked.inputs // BATCH))
        ):
            done, slowest = done + count, max(slowest, spent)
            for raw, why in bad:
                failures += 1
                Path(f"fuzz-{failures}.eml").write_bytes(raw)
                print(f"fuzz-{failures}.eml: {why}", file=sys.stderr)
            if done % (10 * BATCH) == 0:
                rate = done / (time.monotonic() - began)
                print(f"{done} inputs, {rate:.0f}/s, slowest {slowest:.2f} s, {failures} bad")
    print(f"{done} inputs, slowest {slowest:.2f} s, {failures} bad")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
