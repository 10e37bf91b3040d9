"""Which attachments may do harm, by name, by what their bytes show and by what is inside. Pure.

Programs hide behind double extensions, bidi overrides, full-width letters and trailing dots; so a
name is read as Windows would read it, and every extension in it counts, not only the last.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.model.screening import FileDanger, Weight

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backend.model.inbound import AttachmentInfo
    from backend.model.screening import ScreenPolicy

MAX_NESTED_ARCHIVES = 10
_SHOWN = 80  # characters of a name in evidence


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


PROGRAMS = _words(
    # Windows: programs, scripts, shortcuts and settings that run something
    "exe scr pif bat cmd cpl dll ocx sys drv msi msp mst msc gadget hta jar jnlp jse vbs vbe vb",
    "wsf wsh wsc ws sct shb shs ps1 ps1xml ps2 ps2xml psc1 psc2 psm1 psd1 cdxml lnk url scf reg",
    "inf ins isp job xll xla wll iqy oqy rqy slk chm hlp application appref-ms appx appxbundle",
    "msix msixbundle settingcontent-ms search-ms searchconnector-ms library-ms diagcab diagpkg",
    "theme themepack website printerexport webpnp mde mda ade adp accde accdb",
    # disk images, installers and notebooks
    "iso img vhd vhdx udf dmg pkg cab deb rpm apk one onepkg onetoc2",
    # Unix and interpreters
    "sh bash csh ksh zsh command run elf py pyc pyo pyw pyz pl rb php js mjs",
    # office documents made to hold macros
    "docm dotm xlsm xltm xlam pptm potm ppam ppsm sldm",
)
"""Extensions that are unsafe at the end of a name, and of a name inside an archive."""

INNER = _words("exe scr pif bat cmd cpl dll msi hta jar js jse vbs vbe wsf wsh ps1 lnk iso xll")
"""Extensions that are unsafe before the last one too: nobody writes them into a name by chance."""

LAST_ONLY = _words("com html htm xhtml xht shtml mht mhtml svg svgz htc")
"""Extensions that are unsafe at the end of an attachment's own name; archives may hold pages."""

ARCHIVES = _words("zip rar 7z gz tgz bz2 xz tar arj ace lzh z zst zipx")

TYPES = frozenset(
    {
        "text/html",
        "application/xhtml+xml",
        "image/svg+xml",
        "application/hta",
        "application/x-msdownload",
        "application/x-msdos-program",
        "application/x-dosexec",
        "application/x-executable",
        "application/x-sh",
        "application/x-ms-shortcut",
        "application/javascript",
        "text/javascript",
        "application/java-archive",
        "application/onenote",
        "application/x-iso9660-image",
    }
)
"""MIME types that are unsafe when the name has no extension that says otherwise."""

# what shows nothing: soft hyphen, joiners, bidi marks, variation selectors, tags, BOM
_INVISIBLE = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_OVERRIDES = re.compile("[\u202d\u202e]")
# what NFKC leaves alone but a reader takes for a dot
_DOTS = re.compile("[\u3002\ua4f8\u0701\u0702\u06d4]")
_EXTENSION = re.compile(r"[a-z0-9_-]{1,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileJudgement:
    """One attachment that is unsafe, or cannot be looked into, and why in a few words."""

    position: int
    name: str
    why: str
    unsafe: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """What is to be said of a message's attachments; empty when there is nothing to say."""

    judgements: tuple[FileJudgement, ...] = ()

    @property
    def unsafe(self) -> tuple[FileJudgement, ...]:
        """The attachments that hold the message back."""
        return tuple(found for found in self.judgements if found.unsafe)

    @property
    def flagged(self) -> tuple[FileJudgement, ...]:
        """The attachments nobody could look into."""
        return tuple(found for found in self.judgements if not found.unsafe)


def judge(attachments: Sequence[AttachmentInfo], policy: ScreenPolicy) -> Safety:
    """Judge every attachment of a message under the policy of its tenant."""
    found = [
        judgement
        for position, file in enumerate(attachments)
        if (judgement := _judge_one(position, file, policy)) is not None
    ]
    total = sum(file.size for file in attachments)
    limit = policy.max_attachments_bytes
    if limit is not None and total > limit:
        # the largest ones have to go until the rest is within the limit
        found += _over_total(attachments, {f.position for f in found if f.unsafe}, limit)
    return Safety(judgements=tuple(sorted(found, key=lambda judgement: judgement.position)))


def unsafe_positions(attachments: Sequence[AttachmentInfo], policy: ScreenPolicy) -> frozenset[int]:
    """Give the positions a release must leave out, counted as in ``ParsedMail.attachments``."""
    return frozenset(judgement.position for judgement in judge(attachments, policy).unsafe)


def plain_name(name: str) -> str:
    """Give a file name as a file system would take it: NFKC, no invisible letters, no end dots.

    ``a.exe::$DATA`` names ``a.exe`` on NTFS.
    """
    flat = unicodedata.normalize("NFKC", _INVISIBLE.sub("", name))
    flat = _DOTS.sub(".", _INVISIBLE.sub("", flat)).lower()
    flat = flat.rpartition("/")[2].rpartition("\\")[2].partition(":")[0]
    return flat.strip(" \u00a0\t").rstrip(". ")


def extensions(name: str) -> tuple[str, ...]:
    """Give every extension of a name, the last one last; ``a.tar .gz`` has ``tar`` and ``gz``."""
    pieces = [piece.strip() for piece in plain_name(name).split(".")[1:]]
    return tuple(piece for piece in pieces if _EXTENSION.fullmatch(piece))


def _judge_one(position: int, file: AttachmentInfo, policy: ScreenPolicy) -> FileJudgement | None:
    shown = _INVISIBLE.sub("?", file.name)[:_SHOWN] or f"({file.content_type})"[:_SHOWN]
    why = _unsafe(file, policy)
    if why:
        return FileJudgement(position=position, name=shown, why=why, unsafe=True)
    why = _opaque(file)
    if not why:
        return None
    held = file.marks.encrypted and policy.encrypted_archive is Weight.QUARANTINE
    return FileJudgement(position=position, name=shown, why=why, unsafe=held)


def _unsafe(file: AttachmentInfo, policy: ScreenPolicy) -> str:
    """Say why a file is unsafe, the surest sign first; empty when it is not."""
    return (
        _by_bytes(file, policy)
        or _by_name(file.name, policy)
        or _by_type(file, policy)
        or _by_members(file.marks.members, policy)
        or _by_size(file, policy)
    )


def _by_bytes(file: AttachmentInfo, policy: ScreenPolicy) -> str:
    allowed = extensions(file.name)[-1:]
    for danger in file.marks.dangers:
        # a tenant that takes .docm or .ps1 takes what is in them; a program stays a program
        trusted = bool(allowed) and allowed[0] in policy.allowed_extensions
        if danger is FileDanger.PROGRAM or not trusted:
            return danger.value.replace("_", " ")
    return ""


def _by_name(name: str, policy: ScreenPolicy) -> str:
    if _OVERRIDES.search(name):
        return "its name is written to be read backwards"
    found = extensions(name)
    blocked = (PROGRAMS | LAST_ONLY | policy.blocked_extensions) - policy.allowed_extensions
    if found and found[-1] in blocked:
        return f".{found[-1]}"
    inner = next((e for e in found[:-1] if e in INNER - policy.allowed_extensions), "")
    return f".{inner} before the last extension" if inner else ""


def _by_type(file: AttachmentInfo, policy: ScreenPolicy) -> str:
    if file.content_type in policy.blocked_types:
        return f"type {file.content_type}"
    named = bool(extensions(file.name))
    return f"type {file.content_type}" if not named and file.content_type in TYPES else ""


def _by_members(members: Iterable[str], policy: ScreenPolicy) -> str:
    blocked = (PROGRAMS | {"com"} | policy.blocked_extensions) - policy.allowed_extensions
    nested = 0
    for member in members:
        found = extensions(member)
        if found and found[-1] in blocked:
            return f"holds {_INVISIBLE.sub('?', member)[-_SHOWN:]}"
        if _OVERRIDES.search(member):
            return "holds a name written to be read backwards"
        nested += bool(found) and found[-1] in ARCHIVES
    return f"holds {nested} archives" if nested > MAX_NESTED_ARCHIVES else ""


def _by_size(file: AttachmentInfo, policy: ScreenPolicy) -> str:
    limit = policy.max_attachment_bytes
    return f"larger than {limit} bytes" if limit is not None and file.size > limit else ""


def _opaque(file: AttachmentInfo) -> str:
    """Say why nobody can look into a file; empty when one can."""
    if file.marks.encrypted:
        return "encrypted"
    inside = [extensions(member)[-1:] for member in file.marks.members]
    if any(found and found[0] in ARCHIVES for found in inside):
        return "an archive within an archive"
    last = extensions(file.name)[-1:]
    if last and last[0] in ARCHIVES - {"zip", "zipx"}:
        return f"a .{last[0]} archive is not looked into"
    return ""


def _over_total(
    attachments: Sequence[AttachmentInfo], gone: set[int], limit: int
) -> list[FileJudgement]:
    left = sum(file.size for i, file in enumerate(attachments) if i not in gone)
    found: list[FileJudgement] = []
    by_size = sorted(enumerate(attachments), key=lambda pair: -pair[1].size)
    for position, file in by_size:
        if left <= limit:
            break
        if position not in gone:
            left -= file.size
            why = f"all attachments together are larger than {limit} bytes"
            shown = _INVISIBLE.sub("?", file.name)[:_SHOWN]
            found.append(FileJudgement(position=position, name=shown, why=why, unsafe=True))
    return found
