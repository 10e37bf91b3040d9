"""Words by which mail clients mark quotations, per language; data for the reply modules. No I/O.

From the visible behaviour of Gmail, Apple Mail, Outlook, Thunderbird, Yahoo and Lotus Notes.
All are lower case, for text folded by ``reply_lines.fold``; ``|`` or a line's end parts them.
"""

# ruff: noqa: RUF001
# Letters of other alphabets that look like Latin ones are meant here.

from __future__ import annotations

from typing import Final, Literal

Role = Literal["from", "date", "to", "cc", "subject", "other"]


def _words(table: str) -> tuple[str, ...]:
    """Give the words of a table, in order."""
    return tuple(word.strip() for word in table.replace("\n", "|").split("|") if word.strip())


# The verb of "On <date>, <name> wrote:".
VERBS: Final = _words(
    """
    wrote | writes | said | says
    schrieb | geschrieben | schrieben sie | schrieb folgendes
    a écrit | a ecrit | nous a dit | écrivit | écrit
    escribió | escribio | escribía | ha escrito
    ha scritto | scrive | scrisse
    het volgende geschreven | schreef | schreef het volgende
    escreveu | escreveu o seguinte | escreveu a seguinte mensagem
    skrev | skrev följande | skrev følgende | skreiv
    napisał(a) | napisał | napisała | napisała(a) | pisze | napisana przez
    написал(а) | написал | написала | пишет | писал | писал(а)
    написав | написав(ла) | написала | пише | писав
    書きました | 書き込みました | のメール | のメッセージ
    写道 | 寫道 | 写到 | 寫到 | 撰写 | 来信
    작성 | 작성함 | 썼습니다 | 님이 작성 | 쓴 글
    kirjoitti | kirjutas
    napsal(a) | napsal | napsala | napísal(a) | napísal | napísala
    şunu yazdı | şunları yazdı | yazdı | yazmış
    כתב | כתבה | כתב/ה | כתב(ה)
    ezt írta | írta | a scris | έγραψε | написа | va escriure
    je napisao/la | je napisao | je napisala | je napisal | rašė
    đã viết | menulis | كتب | เขียนว่า
    """
)

# The word before the date.
INTROS: Final = frozenset(
    _words(
        """
    on | at | in | am | vom | le | el | il | lo | op | em | no | na | a | den | på
    dnia | dňa | w | dne | dana | στις | pada | vào | la | wiadomość | у | în | pe
    date | fecha | בתאריך | ב | ב- | 在 | 於 | 于
        """
    )
)

# Verbs that people use of others as well; they need an address beside them.
SPEECH: Final = _words(
    """
    said
    says
    nous a dit
    """
)

# Somebody who tells what he himself wrote is no mail client.
FIRST_PERSON: Final = _words(
    """
    i wrote | we wrote | i said | we said | i writes | it says | it said | they said
    schrieb ich | ich schrieb | wir schrieben | schrieben wir | j'ai écrit | yo escribí
    ho scritto | schreef ik | ik schreef | eu escrevi | skrev jag | skrev jeg | jag skrev
    jeg skrev | я написал | я писал | я написала | 我写道
    """
)

# In sentences about a mail, but neither in a client's attribution nor in names.
PROSE_WORDS: Final = frozenset(
    _words(
        """
    the | i | we | he | she | they | our | my | his | her | their | this | that
    which | when | because | unser | unsere | mein | meine | ein | eine | ich | wir
    er | hat | notre | mon | elle | nous | je | qui | ella | nuestro | nosotros
    hij | zij | ik | wij | nosso | meu | ele | ela | jag | jeg | hon | hun
    мы | он | она | мне
        """
    )
)

# Likewise, but they may be part of a mailbox's name, so only where no address stands.
PROSE_PEOPLE: Final = frozenset(
    _words("customer | client | kunde | kundin | cliente | klant | kunden | klient | клиент")
)

# Names of header lines, by what they hold.
_FROM = _words(
    """
    from | von | de | expéditeur | da | van | från | fra | od | nadawca | remitente
    mittente | remetente | afzender | absender | отправитель | от | від | від кого
    от кого | lähettäjä | odesílatel | kimden | gönderen | 보낸 사람 | 보낸사람 | מאת
    发件人 | 寄件者 | 寄件人 | 差出人 | 送信者 | 发自 | från | avsändare | afsender
    avsender | feladó | expeditor | de la | από | fra | saatja | من | dari | từ
    """
)

_DATE = _words(
    """
    sent | date | sent on | gesendet | gesendet am | datum | envoyé | envoyé le | le
    date d'envoi | enviado | enviado el | enviado em | enviada em | enviada | fecha | data
    inviato | verzonden | verzonden op | skickat | skickades | sendt | dato | wysłano
    wysłane | отправлено | дата | надіслано | lähetetty | päivämäärä | päiväys
    odesláno | odoslané | gönderildi | gönderme tarihi | tarih | 보낸 날짜 | 날짜 | 보낸날짜
    נשלח | תאריך | 发送时间 | 發送時間 | 发送日期
    日期 | 時間 | 寄件日期 | 送信日時 | 日時 | 日付
    傳送時間 | 时间 | elküldve | trimis | ημερομηνία | date and time | sent at | sendte
    date envoi | data de envio | data invio | fecha de envío | datum verzonden
    """
)

_TO = _words(
    """
    to | an | à | a | pour | destinataire | para | destinatario | destinatário | aan
    till | til | do | adresat | кому | vastaanottaja | komu | pro | kime | alıcı
    받는 사람 | 받는사람 | אל | 收件人 | 收件者 | 宛先 | címzett | către | προς | kepada
    empfänger | mottagare | modtager | mottaker | ontvanger | per | destinatari | إلى
    """
)

_CC = _words(
    """
    cc | c.c. | bcc | kopie | copie | copie à | cópia | kopia | kopi | dw | копия
    копія | kopio | bilgi | 참조 | עותק | 抄送 | 副本 | 抄送人 | cci | cco | ccn | másolat
    """
)

_SUBJECT = _words(
    """
    subject | betreff | objet | sujet | asunto | oggetto | onderwerp | assunto | ämne
    emne | temat | тема | aihe | předmět | predmet | konu | 제목 | נושא | 主题 | 主旨 | 件名
    標題 | 标题 | 題名 | tárgy | subiect | θέμα | perihal | betr | re | الموضوع
    """
)

_OTHER = _words(
    """
    reply-to | reply to | antwort an | répondre à | responder a | rispondi a
    beantwoorden - aan
    svar til | svara till | odpowiedz do | risposta | responder para | beantwoorden
    importance | priority | priorité | wichtigkeit | priorität | importancia | importanza
    urgentie | prioridade | attachments | anlagen | anhang | pièces jointes | adjuntos
    allegati | bijlagen | anexos | bilagor | bijlage | vedlegg | załączniki | вложения
    newsgroups | organization | message-id | resent-from | resent-to | resent-date
    mailed-by | signed-by | list-id | x-mailer | return-path | sender | via | odpověď na
    附件 | 重要性 | 优先级 | 添付ファイル | 返信先 | 回复 | antwoord aan | vastaus
    """
)

HEADER_ROLES: Final[dict[str, Role]] = {
    **dict.fromkeys(_OTHER, "other"),
    **dict.fromkeys(_SUBJECT, "subject"),
    **dict.fromkeys(_CC, "cc"),
    **dict.fromkeys(_TO, "to"),
    **dict.fromkeys(_DATE, "date"),
    **dict.fromkeys(_FROM, "from"),
}
"""Name of a header line in any language -> what it holds."""

# Between dashes: "-----Original Message-----".
BETWEEN_DASHES: Final = _words(
    """
    original message | original email | original e-mail | original mail | reply message
    forwarded message | forwarded email | forwarded mail | forwarded by | forward header
    original appointment | original text | reply above this line | type your reply above
    ursprüngliche nachricht | originalnachricht | ursprüngliche e-mail | original-nachricht
    weitergeleitete nachricht | weitergeleitet von | originalmeldung | urspr. nachricht
    message d'origine | message original | message transféré | message initial
    courriel original
    message réacheminé | message suivi | mail original | e-mail d'origine
    mensaje original | mensaje reenviado | correo original | forwarded mensaje
    messaggio originale | messaggio inoltrato | messaggio originario | messaggio inoltrato da
    oorspronkelijk bericht | origineel bericht | doorgestuurd bericht | oorspronkelijke bericht
    mensagem original | mensagem encaminhada | mensagem reencaminhada | mensagem de origem
    originalmeddelande | ursprungligt meddelande | vidarebefordrat meddelande
    ursprungsmeddelande
    vidarebefordrat brev | originalt meddelande | originalmeddelelse | oprindelig meddelelse
    oprindelig besked | videresendt meddelelse | videresendt besked | original besked
    opprinnelig melding | videresendt melding | original melding | originalmelding
    opprinnelig meddelelse | wiadomość oryginalna | oryginalna wiadomość | wiadomość przekazana
    przekazana wiadomość | treść przekazanej wiadomości | forwarded wiadomość
    исходное сообщение | оригинальное сообщение | пересылаемое сообщение
    первоначальное сообщение
    пересланное сообщение | переслано | перенаправленное сообщение | исходное письмо
    оригінальне повідомлення | початкове повідомлення | переслане повідомлення
    вихідне повідомлення
    元のメッセージ | 転送されたメッセージ | 転送メッセージ
    オリジナルメッセージ | 元のメール | 返信元メッセージ
    原始邮件 | 原始郵件 | 原邮件 | 原始信息
    转发邮件 | 转发的邮件 | 轉寄郵件 | 转发邮件信息 | 邮件原件
    回复的原邮件 | 原始訊息 | 轉寄的郵件 | forwarded 邮件 | 已转发邮件
    원본 메시지 | 원본 메일 | 전달된 메시지 | 원본메일 | 원본 이메일 | original 메시지
    alkuperäinen viesti | välitetty viesti | edelleenlähetetty viesti
    původní zpráva | původní e-mail | přeposlaná zpráva | pôvodná správa | preposlaná správa
    özgün ileti | orijinal mesaj | orjinal mesaj | iletilen mesaj | yönlendirilen ileti
    הודעה מקורית | הודעה שהועברה | eredeti üzenet | továbbított üzenet | mesaj original
    αρχικό μήνυμα | προωθημένο μήνυμα | pesan asli | thư gốc | الرسالة الأصلية
    """
)

# On a line of its own, with a colon: Apple's forward, and older forms of replies.
FORWARD_LINES: Final = _words(
    """
    begin forwarded message | forwarded message | reply message | original message
    anfang der weitergeleiteten nachricht | anfang der weitergeleiteten e-mail
    début du message réexpédié | début du message transféré | début du message réacheminé
    inicio del mensaje reenviado | empieza el mensaje reenviado | inizio messaggio inoltrato
    inizio del messaggio inoltrato | begin doorgestuurd bericht | begin van doorgestuurd bericht
    início da mensagem encaminhada | início da mensagem reencaminhada
    início de mensagem reencaminhada
    vidarebefordrat brev | påbörjat vidarebefordrat brev | vidarebefordrat mejl
    start på videresendt besked | start på videresendt melding | videresendt melding
    videresendt besked | begynnelse på videresendt melding | starten på den videresendte e-mail
    początek przekazywanej wiadomości | początek przekazanej wiadomości
    начало переадресованного сообщения | начало переадресованного письма
    転送されたメッセージ | 開始轉寄郵件 | 开始转发的邮件 | 开始转发邮件 | 轉寄的郵件開頭
    전달된 메시지 시작 | 전달된 메시지 | välitetty viesti alkaa | edelleenlähetetty viesti alkaa
    začátek přeposílané zprávy | začiatok preposlanej správy | iletilen ileti başlangıcı
    i̇letilen ileti | початок листа, що пересилається | початок переадресованого повідомлення
    תחילת ההודעה שהועברה | továbbított levél kezdete | începutul mesajului redirecționat
    """
)

# A help desk's notification says where the answer belongs.
REPLY_ABOVE: Final = _words(
    """
    reply above this line | type your reply above | write above this line | reply above the line
    please reply above | antworten sie oberhalb dieser zeile | bitte über dieser zeile antworten
    répondez au-dessus de cette ligne | répondre au-dessus de cette ligne
    responda por encima de esta línea | scrivi la risposta sopra questa riga
    antwoord boven deze regel | responda acima desta linha | skriv svar ovanför denna rad
    svar over denne linje | odpowiedz powyżej tej linii | пишите выше этой линии
    """
)
