"""What stands below a person's words: device lines, list footers, disclaimers; per language. Pure.

Only what no person types as an answer is here; greetings such as "Thanks, Ann" stay in the reply.
"""

# ruff: noqa: RUF001
# Letters of other alphabets that look like Latin ones are meant here.

from __future__ import annotations

import re

_DEVICES = (
    r"(?:i-?phon\w?|i-?pad|i-?pod|apple watch|android|smart-?phone|smartfon|tablet|telefon|"
    r"telefono|"
    r"t[eé]l[eé]phone|tel[eé]fono|handy|phone|mobil\w*|m[oó]vil|portable|device|dispositivo|"
    r"dispositif|galaxy|samsung|blackberry|nokia|huawei|xiaomi|redmi|pixel|oneplus|htc|sony|xperia|"
    r"motorola|nexus|windows|outlook|mail|gmail|e-?mail|yahoo|airmail|thunderbird|proton\w*|spark|"
    r"superhuman|boxer|nine|aqua|k-9|fairemail|webmail|app|cell\w*|ger[aä]t|айфон\w*|телефон\w*|"
    r"планшет\w*|смартфон\w*|mutt|hey|missive|front|touchdown|zimbra|roundcube|mailbird|mailspring|"
    r"newton|canary|edison|correo|posta|courrier)"
)
_NAMED = rf"(?:.{{0,40}}\W)?{_DEVICES}\b.{{0,40}}"
_GET = (
    r"(?:get|download|holen|beziehen|herunterladen|laden sie|télécharger|obtenir|obtenez|obtener|"
    r"obtén|descargar|scarica|ottieni|downloaden|ontvang|haal|krijg|obter|obtenha|baixar|transferir|"
    r"hämta|skaffa|hent|få|last ned|skaff|pobierz|скачать|загрузить|получить|завантажити|отримати|"
    r"を入手|获取|下载|取得|下載|hanki|lataa|získejte|získat|stáhnout|edinin|indir|다운로드|가져오기|받기|הורד|קבל)"
)
_LANGUAGES = (
    # English
    r"sent from (?:my|an?) .{1,60}",
    rf"sent (?:from|via|with|using|by) {_NAMED}",
    rf"from my .{{0,12}}\b{_DEVICES}\b.{{0,8}}",
    r"\w{1,20} from mobile",
    # German
    r"(?:von|aus) mein(?:em|er) .{1,40} (?:gesendet|geschickt|versandt)",
    rf"gesendet (?:von|mit|über|aus) {_NAMED}",
    rf"diese (?:nachricht|e-?mail|mail) wurde von {_NAMED} gesendet",
    # French
    r"envoy[ée]e? (?:de(?:puis)?|à partir de|avec|par|via) (?:mon|ma) .{1,60}",
    rf"envoy[ée]e? (?:de(?:puis)?|à partir de|avec|par|via) {_NAMED}",
    rf"provenance ?: {_NAMED}",
    # Spanish, Portuguese
    rf"enviad[oa] (?:desde|de|do|da|a partir d[eo]|através d[eoa]|com|con|via|por|pelo) {_NAMED}",
    r"enviad[oa] (?:desde mi|do meu|da minha|de mi) .{1,50}",
    # Italian
    rf"(?:inviato|inviata|spedito) (?:da(?:l|lla)?|con|tramite) {_NAMED}",
    # Dutch
    rf"(?:verzonden|verstuurd|gestuurd) (?:vanaf|met|via|vanuit|van) {_NAMED}",
    r"(?:verzonden|verstuurd|gestuurd) (?:vanaf|met|via|vanuit|van) mijn .{1,50}",
    # Swedish, Danish, Norwegian
    rf"(?:skickat|skickades|sendt|sänt) (?:från|fra|med|via|frå) {_NAMED}",
    r"(?:skickat|skickades|sendt|sänt) (?:från|fra|frå) (?:min|mitt|mit) .{1,50}",
    rf"från min {_DEVICES}.{{0,20}}",
    # Polish, Czech, Slovak
    (
        r"(?:wysłan[eoay]|odeslán[oa]|odoslan[éeáo]) (?:z|ze|za pomocą|przez|pomocí) (?:.{0,40}\W)?"
        rf"{_DEVICES}.{{0,30}}"
    ),
    # Russian, Ukrainian
    (
        r"(?:отправлен[оа]|послано|надіслано|відправлено) (?:с|со|из|через|з|із|від|от) "
        rf"(?:.{{0,40}}\W)?(?:мо(?:его|ей|го|єї)\b|{_DEVICES}).{{0,40}}"
    ),
    # Japanese, Chinese, Korean
    (
        r".{0,16}(?:iphone|ipad|android|スマートフォン|携帯|スマホ|outlook|メール|mail)"
        r".{0,16}から送信"
    ),
    r"(?:发|發|寄|來|来|傳送|发送)自我的 ?.{1,30}",
    r"[從从]我的 ?.{1,20}(?:傳送|发送|發送|寄出)",
    r"(?:나의|내) .{1,20}에서 (?:보냄|전송)",
    # Finnish, Turkish, Hebrew
    rf"lähetetty .{{0,30}}(?:{_DEVICES}|puhelim|laitte|sähköpost).{{0,25}}",
    r".{1,25}(?:umdan|ımdan|imden|ümden) gönderildi",
    r"נשלח מ.{0,20}(?:iphone|ipad|android|samsung|outlook|galaxy|טלפון|נייד|שלי).{0,20}",
    # the Outlook advertisement of any language
    rf"{_GET} (?:\S{{1,12}} ){{0,2}}?outlook (?:\S{{1,12}} ){{1,4}}?(?:ios|android|mac)\S{{0,12}}",
    rf"(?:ios|android) ?(?:版|用|용|için)? ?outlook ?(?:'u|'ı|를|을)? ?{_GET}",
    r"(?:下载|取得|获取)?(?:適用於|适用于) ?(?:ios|android) ?的 ?outlook",
    rf"outlook (?:\S{{1,12}} ){{1,3}}?(?:ios|android) {_GET}",
)
_EXCUSE = re.compile(
    r"[ .,;(–-]+(?:please )?(?:excuse|forgive|pardon|sorry for|apologies for|ignore) .{0,90}",
    re.IGNORECASE,
)
# Words of sentences: "Sent via e-mail yesterday, did you get it?" is a person's.
_SENTENCE = frozenset(
    {
        *("i", "we", "you", "it", "to", "yesterday", "today", "tomorrow", "week", "morning"),
        *("please", "did", "can", "can't", "and", "but", "the", "gestern", "heute", "ich"),
        *("bitte", "hier", "aujourd'hui", "vous", "ayer", "hoy", "usted", "ieri", "oggi", "u"),
        *("gisteren", "igår", "idag", "ontem", "hoje", "вчера", "сегодня"),
    }
)
_DEVICE_LINE = re.compile("|".join(f"(?:{form})" for form in _LANGUAGES), re.IGNORECASE)
_LINK = re.compile(
    r"\[([^\]]{1,120})\]\([^)]{1,200}\)|<https?:[^>]{1,200}>|\(https?:[^)]{1,200}\)|"
    r"https?://\S{1,200}"
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
    *("to view this email", "email preferences"),
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
    r"(?:before printing|bevor sie diese|avant d'imprimer|antes de imprimir|prima di stampare)\b"
    r".{0,60}"
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
    bare = _EXCUSE.sub("", bare).strip(" .")
    if not 0 < len(bare) <= 120 or _DEVICE_LINE.fullmatch(bare) is None:
        return False
    words = bare.lower().replace(",", "").split()
    return _SENTENCE.isdisjoint(words)


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
    """Tell whether folded lines below a ruler can be a signature: short lines or a notice."""
    return all(len(line) <= _SHORT or _LINK.search(line) for line in lines) or is_footer(lines)
