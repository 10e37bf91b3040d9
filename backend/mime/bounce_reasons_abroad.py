"""Reasons of bounces in other languages than English: what localised systems write. No I/O."""

# ruff: noqa: RUF001
# the letters of other alphabets are meant

from __future__ import annotations

from backend.model.automated import BounceReason as Why

ABROAD: dict[Why, str] = {
    Why.MAILBOX_FULL: (
        r"(?:postfach|mailbox)\b.{0,40}\b(?:ist |derzeit )?(?:voll\b"
        r"|überfüllt)|speicherplatz\w* .{0,40}"
        r"(?:überschritten|erschöpft)|kontingent\w* .{0,30}überschritten"
        r"|bo[iî]te (?:aux lettres|mail|de réception).{0,40}\bpleine|quota .{0,20}dépassé"
        r"|buz[oó]n .{0,40}\bllen[oa]|casella .{0,40}\bpiena"
        r"|caixa (?:postal|de (?:correio|entrada)).{0,40}\bcheia|(?:mailbox|postvak|brievenbus)"
        r"\b.{0,40}\bvol\b"
        r"|skrzynka .{0,40}(?:pełna|przepełnion)|(?:brevlåda|inkorg|postlåda)\w* .{0,30}full"
        r"|(?:postkasse|innboks|indbakke)\w* .{0,30}(?:full|fuld)|ящик .{0,30}(?:переполнен|полон)"
        r"|メールボックスが一杯|容量.{0,6}(?:一杯|超過|超え|オーバー)|(?:邮箱"
        r"|信箱|郵箱).{0,8}(?:已满|已滿|满了|空间不足|容量)"
        r"|메일함.{0,6}가득"
    ),
    Why.USER_UNKNOWN: (
        r"unbekannt\w*\b(?! (?:fehler|host|domain|domäne|server|grund))"
        r"|(?:empfänger|adresse|postfach|benutzer|konto)\b.{0,30}"
        r"(?:existiert nicht|nicht gefunden|nicht vorhanden)|kein solcher (?:empfänger|benutzer)"
        r"|(?:adress|utilisateur|destinataire|compte|bo[iî]te)\w*.{0,40}"
        r"(?:inconnue?|n'existe pas|introuvable|n'a pas été trouvé)"
        r"|(?:usuario|destinatario|buz[oó]n|direcci[oó]n|cuenta)\b.{0,40}"
        r"(?:no existe|desconocid|no (?:se )?(?:encontrad|encontr[oó])|inexistente)"
        r"|(?:destinatario|utente|indirizzo|casella|account)\b.{0,40}"
        r"(?:sconosciut|non esiste|inesistente|non trovat)"
        r"|(?:destinat[aá]rio|usu[aá]rio|utilizador|endereço|conta|caixa)\b.{0,40}"
        r"(?:não existe|inexistente|desconhecid|não (?:foi )?encontrad)|(?<!erro )desconhecido"
        r"|(?:ontvanger|gebruiker|adres|mailbox)\b.{0,30}(?:bestaat niet|onbekend|niet gevonden)"
        r"|(?:adress|mottagare|användare|konto)\w*.{0,30}(?:finns inte|okänd|hittades inte)"
        r"|(?:adresse|modtager|mottaker|bruger|bruker|konto)\w*.{0,30}"
        r"(?:findes ikke|finnes ikke|ukendt|ukjent|eksisterer ikke)"
        r"|(?:adres|odbiorca|użytkownik|konto|skrzynka)\w*.{0,30}(?:nie istnieje|nieznan)"
        r"|(?:нет|не найден\w*) (?:такого|такой) (?:пользовател|получател|адрес|ящик)"
        r"|пользовател\w+ не|не (?:найден|существует)"
        r"|宛先(?:不明|が見つかりません)|存在しません|(?:ディレクトリの)?リストにありません"
        r"|見つかりません"
        r"|(?:用户|用戶|收件人|邮箱|郵箱|地址|帐号|账号|使用者).{0,8}(?:不存在"
        r"|不正确|无效|找不到|未找到)"
        r"|(?:수신자|사용자|계정|주소).{0,10}(?:없|존재하지)"
    ),
    Why.HOST_UNKNOWN: (
        r"(?:domain|domäne|host-?name)\w* .{0,30}(?:existiert nicht|nicht gefunden)"
        r"|domaine .{0,30}(?:n'existe pas|introuvable)|dominio .{0,30}(?:no existe|non esiste)"
        r"|domínio .{0,30}não existe|domein .{0,30}bestaat niet"
        r"|домен .{0,30}не (?:существует|найден)"
        r"|ドメイン.{0,12}(?:存在しません|見つかりません)|(?:域名|域).{0,6}(?:不存在|无效)"
    ),
    Why.DISABLED: (
        r"(?:konto|postfach) .{0,30}(?:gesperrt|deaktiviert)|compte .{0,30}désactivé"
        r"|(?:cuenta|buz[oó]n) .{0,30}(?:desactivad|deshabilitad|suspendid)"
        r"|account .{0,20}(?:disattivat|sospes)|conta .{0,30}(?:desativad|suspens)"
        r"|(?:账号|帐号|邮箱).{0,6}(?:停用|禁用|冻结)|ящик .{0,30}(?:заблокирован|отключ[её]н)"
    ),
    Why.TOO_BIG: (
        r"nachricht .{0,20}zu gro(?:ß|ss)|message .{0,20}trop volumineux"
        r"|mensaje .{0,20}demasiado grande"
        r"|messaggio .{0,20}troppo grande|mensagem .{0,20}(?:muito|demasiado) grande"
        r"|bericht .{0,20}te groot|wiadomość .{0,30}za duża|サイズ.{0,10}(?:超え|超過|大き)"
        r"|(?:邮件|郵件).{0,6}(?:过大|太大|過大)|слишком больш"
    ),
    Why.SPAM: (
        r"als spam (?:abgelehnt|eingestuft|erkannt)"
        r"|considéré comme (?:du )?spam|垃圾邮件|迷惑メール"
        r"|похоже на спам|\bспам"
    ),
    Why.EXPIRED: (
        r"zustellfrist .{0,20}abgelaufen|délai .{0,30}(?:dépassé|expiré)|tiempo .{0,30}agotado"
        r"|zu lange in der warteschlange"
    ),
}
