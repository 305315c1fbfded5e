"""De una procedencia, de qué red venía quien llegó.

Qué es: un paso puro de la lectura: el anfitrión de una URL, y la red a la que pertenece.
Qué no es: la atribución. Las aplicaciones y los navegadores callan a menudo de dónde se viene.
Por qué existe: `l.instagram.com`, `instagram.com` y `android-app://com.instagram.android` son el mismo sitio.
"""

import re
from typing import Final

OTRA: Final = "otra"
"""La red de un anfitrión que no es de ninguna de las que se conocen."""
DIRECTO: Final = "directo"
"""La de quien llegó sin que nada diga de dónde."""

PROCEDENCIA_LEIDA: Final = 512
"""Los caracteres de una procedencia que se leen: su anfitrión no pasa de ahí."""
_LONGITUD_DE_UN_ANFITRION: Final = 253
"""Los caracteres que puede tener (RFC 1035)."""

_DOMINIOS: Final = {
    "instagram": ("instagram.com", "instagr.am", "com.instagram.android"),
    "facebook": ("facebook.com", "fb.com", "fb.me", "com.facebook.katana", "com.facebook.lite"),
    "messenger": ("messenger.com", "m.me", "com.facebook.orca"),
    "threads": ("threads.net", "threads.com", "com.instagram.barcelona"),
    "whatsapp": ("whatsapp.com", "wa.me", "com.whatsapp", "com.whatsapp.w4b"),
    "tiktok": ("tiktok.com", "com.zhiliaoapp.musically", "com.ss.android.ugc.trill"),
    "x": ("x.com", "twitter.com", "t.co", "com.twitter.android"),
    "youtube": ("youtube.com", "youtu.be", "com.google.android.youtube"),
    "snapchat": ("snapchat.com", "com.snapchat.android"),
    "pinterest": ("pinterest.com", "pin.it", "com.pinterest"),
    "linkedin": ("linkedin.com", "lnkd.in", "com.linkedin.android"),
    "telegram": ("t.me", "telegram.org", "org.telegram.messenger"),
    "reddit": ("reddit.com", "com.reddit.frontpage"),
    "twitch": ("twitch.tv", "tv.twitch.android.app"),
    "discord": ("discord.com", "com.discord"),
    "google": ("com.google.android.googlequicksearchbox",),
    "bing": ("bing.com",),
    "duckduckgo": ("duckduckgo.com", "com.duckduckgo.mobile.android"),
    "yahoo": ("yahoo.com",),
    "ecosia": ("ecosia.org",),
    "correo": ("mail.google.com", "outlook.live.com", "mail.yahoo.com", "com.google.android.gm"),
}
_RED_DE: Final = {dominio: red for red, dominios in _DOMINIOS.items() for dominio in dominios}
_GOOGLE: Final = re.compile(r"(?:[a-z0-9-]{1,63}\.){0,3}google\.[a-z]{2,3}(?:\.[a-z]{2})?")

_APLICACIONES: Final = {
    "Instagram": "instagram",
    "Facebook": "facebook",
    "Messenger": "messenger",
    "Threads": "threads",
    "TikTok": "tiktok",
    "X": "x",
    "Snapchat": "snapchat",
    "Pinterest": "pinterest",
    "LinkedIn": "linkedin",
    "WhatsApp": "whatsapp",
    "Telegram": "telegram",
    "Google": "google",
}


def anfitrion_de(procedencia: str) -> str:
    """El anfitrión de una URL, en minúsculas y sin puerto; vacío si no lo tiene."""
    _, separador, resto = procedencia.partition("://")
    if not separador:
        return ""
    autoridad = resto[:PROCEDENCIA_LEIDA]
    for final in "/?#":
        autoridad = autoridad.partition(final)[0]
    anfitrion = autoridad.rpartition("@")[2].partition(":")[0].lower().rstrip(".")
    return anfitrion[:_LONGITUD_DE_UN_ANFITRION]


def procedencia_de_una_pagina(pagina: str | None, dicha: str | None) -> str | None:
    """De dónde se llegó a una página, según ella; `None` si no lo dice, o si se llegó de otra de su sitio."""
    if not dicha:
        return None
    suyo, otro = (anfitrion_de(una).removeprefix("www.") for una in (pagina or "", dicha))
    del_mismo = suyo and (suyo == otro or suyo.endswith(f".{otro}") or otro.endswith(f".{suyo}"))
    return None if del_mismo else dicha


def red_de_anfitrion(anfitrion: str) -> str:
    """La red de un anfitrión: la de él o la del dominio del que es parte."""
    partes = anfitrion.split(".")
    for desde in range(max(len(partes) - 5, 0), len(partes)):
        red = _RED_DE.get(".".join(partes[desde:]))
        if red is not None:
            return red
    return "google" if _GOOGLE.fullmatch(anfitrion) else OTRA


def red_de_aplicacion(aplicacion: str | None) -> str | None:
    """La red cuya aplicación lo abrió, que casi nunca dice de dónde viene; `None` si no es de ninguna."""
    return None if aplicacion is None else _APLICACIONES.get(aplicacion)
