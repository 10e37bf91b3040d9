"""How out-of-office notes and other automatic answers call themselves, in 30 languages. No I/O."""

# ruff: noqa: RUF001
# the letters of other alphabets are meant

from __future__ import annotations

import re

# Words that programs put before the subject they answer; nobody writes them by hand.
_CERTAIN = (
    "automatic reply|auto(?:matic|mated)?[- ]?(?:reply|response|responder)(?: from)?|autoreply"
    "|auto:|out of office autoreply"
    "|automatische antwort|automatische rückantwort|autoantwort|abwesenheitsnotiz"
    "|abwesenheitsmeldung|abwesenheitsbenachrichtigung"
    "|réponse automatique|reponse automatique|message d'absence|notification d'absence"
    "|respuesta automática|respuesta automatica|autorrespuesta|contestación automática"
    "|resposta automàtica"
    "|risposta automatica|risposta automatica di|resposta automática|resposta automatica"
    "|automatisch antwoord|automatische beantwoording|afwezigheidsbericht|autosvar"
    "|automatiskt svar|automatisk svar|autosvar:"
    "|fraværsmelding|fraværsbesked|automaattinen vastaus|poissaoloviesti|automaatvastus"
    "|autoodpowiedź|odpowiedź automatyczna|automatyczna odpowiedź|automatická odpověď"
    "|automatická odpoveď|automatikus válasz"
    "|răspuns automat|raspuns automat|otomatik yanıt|otomatik cevap|automatski odgovor"
    "|samodejni odgovor|avtomatski odgovor|automatinis atsakymas|automātiska atbilde"
    "|автоматический ответ|автоответ\\w*|автоматична відповідь|автоматичен отговор"
    "|αυτόματη απάντηση|תשובה אוטומטית|رد تلقائي|الرد التلقائي"
    "|自動返信|不在通知|自動応答|自動回覆|自动回复|自动答复|自動答覆|자동 ?회신|자동 ?응답"
    "|ตอบกลับอัตโนมัติ|trả lời tự động|balasan otomatis"
)
# Words that people use as well; they need a second sign.
_LIKELY = (
    "out[- ]of[- ](?:the[- ])?office|\\booo\\b|on (?:vacation|holiday|leave)"
    "|vacation(?: notice| message| reply)?|away(?: from (?:my|the) (?:mail|office|desk))"
    "|absence|i am away"
    "|abwesenheit|nicht im büro|im urlaub|außer haus|absent du bureau|absence du bureau"
    "|en congés?|fuera de (?:la )?oficina|ausente|de vacaciones"
    "|fuori (?:ufficio|sede)|assente|in ferie|fora do escritório|ausência|de férias"
    "|niet aanwezig|afwezig|buiten kantoor|op vakantie"
    "|frånvaro|frånvarande|ej på kontoret|inte på kontoret|på semester|fravær|ikke på kontoret"
    "|ikke til stede|på ferie|poissa|lomalla"
    "|poza biurem|nieobecn\\w+|na urlopie|mimo kancelář|nepřítomn\\w+|irodán kívül|szabadságon"
    "|ofis dışında|вне офиса|в отпуске|отсутств\\w+|нет на месте|відсутн\\w+"
    "|εκτός γραφείου|不在(?:通知|のお知らせ|連絡)?|休暇(?:中|のお知らせ)|外出|不在办公室|休假"
    "|外出中|不在辦公室|부재 ?중|휴가"
)
_CERTAIN_START = re.compile(rf"\s*[\[(【]?(?:{_CERTAIN})(?:\W|$)", re.I)
_LIKELY_START = re.compile(rf"\s*[\[(【]?(?:{_LIKELY})\b", re.I)
_PREFIX = re.compile(
    rf"\s*[\[(【]?(?:{_CERTAIN}|{_LIKELY})[^:：]{{0,40}}[:：\])】]"
    # QUIRK(Notes): "AUTO: NAME is out of the office (returning DATE)"
    r"|\s*auto: [^:]{1,80}\((?:returning|return|zurück|rückkehr|retour|back) ",
    re.I,
)
_BODY = re.compile(
    r"(?:i am|i'm|i will be|i'll be|we are|currently|am) (?:currently |now "
    r"|also )?(?:out of (?:the |my )?office|away|on (?:\w+ )?(?:leave|vacation|holiday)|absent"
    r"|travell?ing|unavailable|not in the office|not available)"
    r"|(?:limited|no|without) access to (?:my )?e?-?mails?|out of (?:the )?office (?:until"
    r"|from|till)|(?:this is an|an) auto(?:mated|matic|matically)[ -](?:generated )?(?:reply"
    r"|response|message)|will (?:respond|reply|answer"
    r"|get back)(?: to you)?(?: \w+){0,4} (?:when|after|upon|as soon as)"
    r"|(?:ich bin|bin ich|ich befinde mich)(?: \S+){0,6} (?:nicht (?:im büro|erreichbar"
    r"|im haus|da)|im urlaub|abwesend|außer haus|wieder)|bis (?:zum"
    r"|einschließlich)? ?\S+(?: \S+)? (?:nicht im büro|abwesend|im urlaub)"
    r"|wird nicht weitergeleitet"
    r"|je (?:suis|serai)(?: \S+){0,3} (?:absente?|en congés?|en vacances)|de retour (?:le"
    r"|lundi|au bureau)|absente? du bureau"
    r"|(?:estoy|estaré|me encuentro|encontraré)(?: \S+){0,3} (?:fuera|ausente|de vacaciones)"
    r"|sono (?:fuori|assente|in ferie)|sarò (?:fuori|assente|in ferie)"
    r"|(?:estou|estarei)(?: \S+){0,3} (?:fora|ausente|de férias)"
    r"|ik ben(?: \S+){0,6} (?:afwezig|niet aanwezig|op vakantie|weer|niet op kantoor)"
    r"|jag är(?: \S+){0,4} (?:tillbaka|frånvarande|borta|ledig|inte på kontoret|på semester"
    r"|på semester)|jeg er(?: \S+){0,4} (?:tilbake|tilbage|fraværende|på ferie"
    r"|ikke på kontoret|ikke til stede|ute av kontoret|bortrejst|bortreist)"
    r"|(?:jeg )?holder ferie|er tilba[gk]e (?:den|på|igen|igjen|mandag)|har ferie"
    r"|olen(?: \S+){0,4} (?:poissa|lomalla|takaisin)|jestem(?: \S+){0,4} (?:nieobecn"
    r"|na urlopie|poza biurem)|nie ma mnie w biurze|(?:przebywam|będę) (?:na urlopie|nieobecn"
    r"|poza)|jsem(?: \S+){0,4} (?:mimo|nepřítomn|na dovolené)"
    r"|(?:я|меня)(?: \S+){0,4} (?:в отпуске|отсутству|вне офиса|нет на месте|не будет)"
    r"|нахожусь в отпуске|(?:休暇|不在|出張|外出)(?:を|に|と|の|中|し|いた|のため)|不在にして"
    r"|戻り次第|自動(?:返信|応答|送信)"
    r"|我(?:目前|现在|正在|將|将)?\S{0,6}(?:休假|出差|不在|外出)|(?:休假|出差)(?:中|期间|期間)"
    r"|자리를 비|부재중|휴가"
    r"|ofis dışında|izindeyim|εκτός γραφείου"
)
_RECEIVED = re.compile(
    r"\b(?:request|ticket|case|message|enquiry|inquiry|e-?mail) (?:has been |was )?received\b"
    r"|thank you for (?:contacting|your (?:e-?mail|message|enquiry|inquiry))"
    r"|we (?:have )?received your"
    r"|ticket (?:created|opened)|\[ticket created\]|empfangsbestätigung|accusé de réception"
    r"|acuse de recibo|受付(?:完了|いたしました)|お問い合わせ(?:ありがとう|を受け付け)",
    re.I,
)


def is_certain_subject(subject: str) -> bool:
    """Whether a subject begins as only programs begin it."""
    return _CERTAIN_START.match(subject) is not None


def is_likely_subject(subject: str) -> bool:
    """Whether a subject begins with words of absence, which people write as well."""
    return _LIKELY_START.match(subject) is not None


def is_prefixed_subject(subject: str) -> bool:
    """Whether such words stand before a colon, in front of the subject that is answered."""
    return _PREFIX.match(subject) is not None


def says_absent(text: str) -> bool:
    """Whether the first words of a body say that the writer is away or a program answers."""
    return _BODY.search(" ".join(text[:1500].lower().replace("\u2019", "'").split())) is not None


def says_received(subject: str) -> bool:
    """Whether a subject acknowledges receipt, as help desks answer."""
    return _RECEIVED.search(subject) is not None
