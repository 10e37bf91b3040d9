"""The signs of a bounce that follows no standard: who writes, the subject, the first words. No I/O.

One sign alone proves nothing: people forward bounces, ask about them and paste them.
"""

# the letters of other alphabets are meant

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.mime.classify_sheet import Sheet

OPENING = 600  # characters in which a report says what it is

_DAEMON_BOX = re.compile(
    r"(?:mailer[-_.]?daemon|mail[-_.]?daemon|mdaemon|post_?master"
    r"|mail[-_.]?delivery[-_.]?(?:sub)?system"
    r"|microsoftexchange[0-9a-f]{8,}|double-bounce|mail-?system|root\+bounce"
    r"|bounce-?notif\w*)(?:@|$)"
)
_DAEMON_NAME = re.compile(
    r"mailer[- ]?daemon|mail(?: ?er)? deliver(?:y|er)? (?:sub-?)?system|mail delivery|postmaster"
    r"|mail administrator|system administrator|microsoft outlook|mail router"
    r"|delivery (?:sub)?system",
)
_DAEMON_ONLY = re.compile(r"daemon|deliver(?:y|er)|mail ?router|subsystem|microsoft")
_SYSTEM, _ROBOT = "written by a mail system", "written by a robot"
_ROBOT_BOX = re.compile(r"(?:no|do-?not|not?)[-_.]?repl(?:y|ies)\b|nobody@|auto-?mail")
_SUBJECT = re.compile(
    r"undeliver|non[- ]?deliver|not (?:be )?delivered|delivery (?:status|failure|failed|report"
    r"|problem|error|unsuccessful|delayed|has failed|warning)"
    r"|deliver(?:y|ing)[- ](?:of (?:your )?(?:mail|message)|failure)|(?:e-?mail|mail|message"
    r"|delivery)[- ]?(?:system )?(?:delivery )?(?:fail\w*|error|delayed|could not be|can(?:not"
    r"|'t) be|not sent|status notification)"
    r"|fail(?:ure|ed)[- ](?:notice|delivery|mail|notification|to deliver|report)"
    r"|returned (?:mail|e-?mail|message|to sender)|return(?:ed|ing)? (?:message )?to sender"
    r"|delayed (?:mail|delivery)|user unknown|unknown (?:user|recipient|address)"
    r"|bounced?\b.{0,20}(?:mail|message)|(?:mail|message) bounce|^\W*bounce\b"
    r"|message \S+ has been frozen|error (?:in )?(?:sending"
    r"|delivering) (?:your )?(?:mail|message)"
    r"|postmaster notify|warning: (?:could not send|message|delayed)|(?:could|can)(?:not"
    r"| not) (?:be )?(?:send|sent|deliver)|problems? (?:delivering|with delivery)"
    r"|rejected (?:mail|message)|(?:mail|message) rejected"
    r"|unable to deliver|nondeliverable|dsn:|delivery notification|error in (?:mail )?delivery"
    r"|(?:mail|message) status report|abandoned|not read because"
    r"|unzustellbar|nicht zustellbar|zustellung|non remis|non distribu|échec|remise différée"
    r"|no se (?:puede|pudo) entregar|no entregado|devuelto|mancata consegna"
    r"|impossibile recapitare"
    r"|niet (?:te bezorgen|bezorgd|afgeleverd)|onbestelbaar|não (?:entregue|foi possível)"
    r"|falha na entrega|kan inte levereras|kunne ikke leveres|niedostarcz|не доставлено"
    r"|недоставл|配信不能|配信でき|送信でき|配達でき|エラーメール|无法(?:投递|送达)|退信"
    r"|無法(?:傳遞|投遞)|系统退信|배달 (?:실패|불가)",
)
_WORDS = re.compile(
    r"created automatically by (?:the )?(?:mail delivery software|the mail)|qmail-send program"
    r"|this is the mail system at|mail system at host|this is the mailer-daemon"
    r"|automatically generated delivery status|delivery status notification"
    r"|delivery to the following recipients? (?:has |have |was |were )?(?:been )?(?:failed"
    r"|delayed|aborted)"
    r"|(?:addresses|address\(es\)|recipients?|recipient\(s\)) (?:had|has|have)? ?(?:permanent "
    r"|transient |non-fatal |fatal )*(?:fatal |delivery )?(?:errors|problems|failed|warnings)"
    r"|did not reach the following recipient|(?:message|mail|it)(?: \S+){0,8} (?:could|can|has"
    r"|was|is)(?: ?not|n't) (?:yet )?(?:been |be )?(?:deliver|sent|send)"
    r"|could not be (?:delivered|sent)\b|(?:unable|failed) to deliver|wasn't able to deliver"
    r"|was not delivered|error (?:has occurred while attempting to|delivering"
    r"|was encountered while|while) ?deliver"
    r"|there was an error delivering|(?:failed|undeliverable|permanent) (?:address"
    r"|recipient)(?:es|s)?\b|delivery (?:failed|has failed|failure|attempts?|of (?:the"
    r"|your) (?:mail|message))"
    r"|trouble delivering your|transcript of (?:the )?session|unsent message"
    r"|address\(?e?s?\)? have yet to be delivered|xmail bounce|message has been frozen"
    r"|message log follows|failure reasons|original message follows|returned message"
    r"|your mail sent on|following message has not been|reason for (?:return|failure|bounce)"
    r"|will be retried|still being retried"
    r"|recipient (?:address )?rejected|mail(?:box| server) (?:is )?(?:full|refused)|(?:konnte"
    r"|wurde) nicht zugestellt|nachrichtenzustellung|n'a pas (?:pu être|été) (?:remis"
    r"|distribué|délivré)|no se (?:pudo|ha podido) entregar"
    r"|письмо не может быть доставлено|送信(?:できません|に失敗)|配信(?:できません|に失敗)"
    r"|送り届けることができません|お届けできません"
    r"|エラー(?:メール|になり)|以下の(?:宛先|アドレス|メールアドレス)|无法(?:投递|送达|发送)"
    r"|投递失败|退回",
)
_LIST_KEEPER = re.compile(
    r"(?:[\w.\-]+-)?(?:admin|owner|request|bounces|help)@|(?:owner-|majordomo|listserv|mailman"
    r"|ezmlm|fml)[\w.\-]*@"
)
_NOT_A_MEMBER = re.compile(
    r"(?:you|your address)(?: \S+)? (?:are|is) not (?:a |an )?(?:\w+ )?(?:member|subscriber)"
    r"|only (?:members|subscribers) (?:may|can|are allowed)|not allowed to post to this"
)
_HEADERS = ("x-failed-recipients", "x-mx-bounce", "x-bounce-reason")


def bounce_signs(sheet: Sheet) -> tuple[str, ...]:
    """Give what shows that this is a bounce; empty when it does not add up to one."""
    if sheet.passed_on and not _from_daemon(sheet):
        return ()
    named = tuple(f"has {name}" for name in _HEADERS if name in sheet.values)
    writer, said = _writer(sheet), _said(sheet)
    if named and (writer or said):
        return (*named, *writer, *said)
    if writer and len(said) >= _needed(sheet, writer):
        return (*writer, *said)
    return _refused_by_list(sheet)


def _needed(sheet: Sheet, writer: tuple[str, ...]) -> int:
    """Say how many signs must come with the writer's: people write as postmaster, robots of all."""
    who = f"{sheet.from_address} {sheet.from_name}".lower()
    lone = writer == (_SYSTEM,) and not _DAEMON_ONLY.search(who)
    return 2 if (lone or writer == (_ROBOT,)) and not sheet.originals else 1


def _refused_by_list(sheet: Sheet) -> tuple[str, ...]:
    """Name the signs that a list manager program sent a mail back to one who is no member."""
    if _LIST_KEEPER.match(sheet.from_address) and _NOT_A_MEMBER.search(_opening(sheet)):
        return ("written by a list manager", "refuses one who is no member")
    return ()


def _from_daemon(sheet: Sheet) -> bool:
    return bool(
        _DAEMON_BOX.match(sheet.from_address) or _DAEMON_NAME.search(sheet.from_name.lower())
    )


def _writer(sheet: Sheet) -> tuple[str, ...]:
    """Name the signs that a mail system wrote: its address, the null path, no address at all."""
    signs = []
    if _from_daemon(sheet):
        signs.append(_SYSTEM)
    path = sheet.return_path
    if path is not None and (not path or _DAEMON_BOX.match(path)):
        signs.append("null return path")
    if not sheet.from_address and "from" in sheet.values:
        signs.append("no sender address")
    if _ROBOT_BOX.match(sheet.from_address):
        signs.append(_ROBOT)
    return tuple(signs)


def _said(sheet: Sheet) -> tuple[str, ...]:
    signs = []
    if _SUBJECT.search(sheet.subject.lower()):
        signs.append("subject of a bounce")
    if _WORDS.search(_opening(sheet)):
        signs.append("words of a bounce")
    return tuple(signs)


def _opening(sheet: Sheet) -> str:
    return " ".join(sheet.text[: 2 * OPENING].lower().replace("\u2019", "'").split())[:OPENING]
