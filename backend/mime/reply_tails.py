"""What stands below a person's words: device lines, list footers, disclaimers; per language. Pure.

Only what no person types as an answer is here; greetings such as "Thanks, Ann" stay in the reply.
"""

from __future__ import annotations

import re

_DEVICES = (
    r"(?:i-?phone|i-?pad|i-?pod|apple watch|android|smart-?phone|smartfon|tablet|telefon|telefono|t[eé]l[eé]phone|"
    r"tel[eé]fono|handy|phone|mobile?|mobil\w*|m[oó]vil|portable|device|dispositivo|dispositif|galaxy|"
    r"samsung|blackberry|nokia|huawei|xiaomi|redmi|pixel|oneplus|htc|sony|xperia|motorola|nexus|windows|"
    r"outlook|mail|gmail|e-?mail|yahoo|airmail|thunderbird|proton\w*|spark|superhuman|boxer|nine|aqua|"
    r"k-9|fairemail|webmail|app|cell\w*|ger[aä]t|ti-85|айфон\w*|телефон\w*|планшет\w*|смартфон\w*|mutt|"
    r"hey|missive|front|touchdown|zimbra|roundcube|mailbird|mailspring|newton|canary|edison|mi)"
)
_LANGUAGES = (
    # English
    r"sent from (?:my|an?) .{1,60}",
    rf"sent (?:from|via|with|using|by) (?:.{{0,40}}\W)?{_DEVICES}\b.{{0,50}}",
    rf"from my .{{0,12}}\b{_DEVICES}\b.{{0,15}}",
    r"\w{1,20} from (?:my )?mobile",
    r"(?:get|download) outlook for .{1,40}",
    # German
    r"(?:von|aus) mein(?:em|er) .{1,40} (?:gesendet|geschickt|versandt)",
    rf"gesendet (?:von|mit|über|aus) (?:.{{0,40}}\W)?{_DEVICES}\b.{{0,50}}",
    r"diese (?:nachricht|e-?mail|mail) wurde von .{1,70} gesendet",
    # French
    r"envoy[ée]e? (?:de(?:puis)?|à partir de|avec|par|via) (?:mon|ma|mes|yahoo|l'app|outlook|proton|courrier|orange|un) ?.{0,60}",
    r"provenance ?: .{1,50}",
    # Spanish, Portuguese
    rf"enviad[oa] (?:desde|de|do|da|a partir d[eo]|através d[eoa]|com|con|via|por|pelo) (?:.{{0,40}}\W)?{_DEVICES}\b.{{0,50}}",
    r"enviad[oa] (?:desde mi|do meu|da minha|de mi) .{1,50}",
    # Italian
    rf"(?:inviato|inviata|spedito) (?:da(?:l|lla)?|con|tramite|dal mio) ?(?:.{{0,40}}\W)?{_DEVICES}\b.{{0,50}}",
    # Dutch
    r"(?:verzonden|verstuurd|gestuurd) (?:vanaf|met|via|vanuit|van) (?:mijn|een|outlook|proton|mail|yahoo|samsung) ?.{0,60}",
    # Swedish, Danish, Norwegian
    r"(?:skickat|skickades|sendt|sänt) (?:från|fra|med|via|frå) (?:min|mitt|mit|outlook|proton|mail|yahoo|e-?post|en|et|samsung) ?.{0,60}",
    r"från min (?:iphone|ipad|android|mobil|telefon|samsung).{0,30}",
    # Polish, Czech, Slovak
    rf"(?:wysłan[eoay]|wysłano|odeslán[oa]|odoslan[éeáo]) (?:z|ze|za pomocą|przez|przy użyciu|pomocí) (?:.{{0,40}}\W)?{_DEVICES}.{{0,50}}",
    # Russian, Ukrainian
    rf"(?:отправлен[оа]|послано|надіслано|відправлено) (?:с|со|из|через|з|із|від|от) (?:.{{0,40}}\W)?(?:мо\w+|{_DEVICES}).{{0,50}}",
    # Japanese, Chinese, Korean
    r".{1,30}から送信(?:されました)?",
    r"(?:发|發|寄|傳送|发送)自(?:我的)? ?.{1,30}",
    r"[從从](?:我的)? ?.{1,20}(?:傳送|发送|發送|寄出)",
    r"(?:나의|내) .{1,20}에서 (?:보냄|전송)",
    # Finnish, Turkish, Hebrew
    r"lähetetty .{1,40}(?:sta|stä|ltä|lta)(?: .{0,20})?",
    r".{1,25}(?:umdan|ımdan|den|dan|imden) gönderildi",
    r"נשלח מ.{1,40}",
    # the Outlook advertisement of any language
    r"(?=.{0,60}outlook)(?=.{0,60}(?:ios|android)\b).{1,70}",
)
_EXCUSE = r"(?:[ .,;–-]+(?:please (?:excuse|forgive|pardon)|excuse|sorry for|apologies for|pardon|tippfehler).{0,80})?"
_DEVICE_LINE = re.compile(rf"(?:{'|'.join(_LANGUAGES)}){_EXCUSE}", re.IGNORECASE)
_LINK = re.compile(
    r"\[([^\]]{1,120})\]\([^)]{1,200}\)|<https?:[^>]{1,200}>|\(https?:[^)]{1,200}\)|https?://\S{1,200}"
)
_MAX_DEVICE_LINE = 300  # characters, with its links

_FOOTERS = (
    *("unsubscribe", "mailing list", "you received this message because", "to post to this group"),
    *(
        "view this discussion on the web",
        "manage your subscription",
        "reply to this email directly",
    ),
    *("abbestellen", "désabonner", "désinscri", "darse de baja", "cancelar la suscripción"),
    *(
        "annullare l'iscrizione",
        "disiscri",
        "uitschrijven",
        "afmelden voor",
        "cancelar a inscrição",
    ),
    *("avregistrera", "afmeld dig", "meld deg av", "wypisać się", "отписаться", "відписатися"),
    *(
        "配信停止",
        "退订",
        "取消訂閱",
        "virus-free",
        "virenfrei",
        "avast",
        "avg.com",
        "scanned for viruses",
    ),
    *("to view this email", "to respond, reply to this email", "email preferences"),
)

_REFERENCE = re.compile(r"links:|-{3,}|\[\d{1,3}\]:? <?https?://\S{1,500}", re.IGNORECASE)

# A disclaimer needs one word of both groups; the second names the person it is meant for.
_SECRET = (
    *("confidential", "privileged", "vertraulich", "confidentiel", "confidencial", "riservat"),
    *("vertrouwelijk", "konfidentiell", "fortrolig", "poufn", "конфиденциальн", "конфіденційн"),
    *("luottamuksellis", "důvěrn", "gizli", "機密", "机密", "保密"),
)
_MEANT_FOR = (
    *("intended recipient", "intended solely", "intended only", "intended for the", "addressee"),
    *("empfänger", "adressat", "destinataire", "destinatari", "destinatári", "geadresseerde"),
    *("bestemd voor", "mottagar", "modtager", "mottaker", "odbiorc", "адресат", "получател"),
    *("vastaanottaj", "příjemc", "alıcı", "受信者", "宛先", "收件人", "收件者"),
)
_PRINT = re.compile(
    r"(?:please )?(?:consider|think (?:of|about)) the environment before (?:you )?print|"
    r"(?:before printing|bevor sie diese|avant d'imprimer|antes de imprimir|prima di stampare)\b.{0,60}"
    r"(?:environment|umwelt|ausdrucken|environnement|medio ambiente|meio ambiente|ambiente)",
    re.IGNORECASE,
)
_MIN_DISCLAIMER = 100  # characters: shorter ones may be a person's own sentence
_SHORT = 64  # characters: a line of a signature is hardly longer


def is_device_line(line: str) -> bool:
    """Tell whether a folded line is "Sent from my iPhone" or its like, and nothing else."""
    if len(line) > _MAX_DEVICE_LINE:
        return False
    bare = _LINK.sub(lambda found: found.group(1) or "", line).strip(" \t*_<>()[]\"'.!·|")
    return 0 < len(bare) <= 160 and _DEVICE_LINE.fullmatch(bare) is not None


def is_footer(lines: list[str]) -> bool:
    """Tell whether folded lines below a quotation are a list's or a scanner's, not a person's."""
    joined = " ".join(lines)[:2000].lower()
    if any(word in joined for word in _FOOTERS) or is_disclaimer(joined):
        return True
    return all(_REFERENCE.fullmatch(line) for line in lines)


def is_disclaimer(paragraph: str) -> bool:
    """Tell whether a folded paragraph is a confidentiality notice or a plea not to print."""
    text = paragraph[:2000].lower()
    if len(text) < 250 and _PRINT.search(text):
        return True
    return (
        len(text) >= _MIN_DISCLAIMER
        and any(word in text for word in _SECRET)
        and any(word in text for word in _MEANT_FOR)
    )


def is_signature_like(lines: list[str]) -> bool:
    """Tell whether folded lines below a ruler can be a signature or footer: short lines or a notice."""
    return all(len(line) <= _SHORT or _LINK.search(line) for line in lines) or is_footer(lines)
