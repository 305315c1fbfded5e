"""Lo que solo describe el contexto de un evento: se salva lo que se puede y se descarta lo demás.

Qué es: una función por campo (`user_agent`, `ip_address`, `referrer`) que nunca lanza. Lo que estaba bien
sale octeto por octeto como entró; lo que se toca deja su aviso en el recolector.
Qué no es: una falta; un mal `referrer` no debe costarle a nadie una venta pagada.
Por qué existe: las direcciones llegan con puerto y las procedencias sin esquema, demasiado largas o con una
contraseña dentro, y casi todo ello se puede leer. Reparar lo reparado no lo cambia.
"""

import ipaddress
import re
from typing import Final
from urllib.parse import quote, urlsplit

from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.modulos.tracking.dominio.normalizacion import ILEGIBLE, en_nfc

LONGITUD_USER_AGENT: Final = 1024
LONGITUD_REFERRER: Final = 2048

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NO_SE_GUARDA: Final = re.compile(r"[\x00\ud800-\udfff]")
_OCTETO: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4: Final = re.compile(rf"{_OCTETO}(?:\.{_OCTETO}){{3}}")
_CON_PUERTO: Final = re.compile(r"\[([^\]]*)\](?::[0-9]*)?|([0-9.]+):[0-9]*")
_FUERA_DE_UNA_URL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\s\\\ud800-\udfff]")
_URL: Final = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?//([^/?#]*)([^?#]*)(.*)", re.DOTALL)
_SIN_ESQUEMA: Final = re.compile(
    r"()((?:[\w-]{1,63}\.){1,30}[^\W\d_][\w-]{1,62}(?::[0-9]{1,5})?)(/[^?#]*|)([?#].*|)", re.DOTALL
)
_MAS_QUE_UN_ANFITRION: Final = re.compile(r"[:@\[\]]")
_ESQUEMAS_REFERRER: Final = frozenset({"http", "https", "android-app", "ios-app"})


def texto_legible(texto: str) -> str:
    """El texto en forma NFC, con U+FFFD donde había un NUL o un sustituto suelto."""
    if texto.isascii() and "\x00" not in texto:
        return texto
    return en_nfc(_NO_SE_GUARDA.sub(ILEGIBLE, texto))


def perdio_algo(texto: str, legible: str) -> bool:
    """Dice si `texto_legible` tuvo que sustituir algo."""
    return legible is not texto and legible.count(ILEGIBLE) > texto.count(ILEGIBLE)


def user_agent_legible(texto: str, recolector: Recolector) -> str:
    """El agente sin caracteres de control y de hasta 1.024 caracteres."""
    legible = texto_legible(texto if texto.isprintable() else _CONTROL.sub(ILEGIBLE, texto))
    if perdio_algo(texto, legible):
        recolector.avisar("user_agent_reparado")
    if len(legible) > LONGITUD_USER_AGENT:
        recolector.avisar("user_agent_recortado")
    return legible[:LONGITUD_USER_AGENT]


def ip_legible(texto: str, recolector: Recolector) -> str | None:
    """Una IPv4 o IPv6 en su forma canónica (RFC 5952), sola o entre lo que suele rodearla.

    Se salva la que lleva blancos, puerto, corchetes o zona (RFC 4007 §11), y la primera de una lista como las
    de `X-Forwarded-For`: es la del visitante.
    """
    direccion = _direccion_canonica(texto)
    if direccion is None:
        direccion = _direccion_canonica(_sin_lo_que_la_rodea(texto))
        recolector.avisar("ip_ilegible" if direccion is None else "ip_reparada")
    return direccion


def _direccion_canonica(texto: str) -> str | None:
    """Forma canónica; una IPv4 envuelta en IPv6 vuelve a ser IPv4."""
    if _IPV4.fullmatch(texto):
        return texto
    try:
        direccion = ipaddress.IPv6Address(texto)
    except ValueError:
        return None
    return None if direccion.scope_id is not None else str(direccion.ipv4_mapped or direccion)


def _sin_lo_que_la_rodea(texto: str) -> str:
    primera = texto.partition(",")[0].strip()
    con_puerto = _CON_PUERTO.fullmatch(primera)
    if con_puerto is not None:
        primera = con_puerto[1] or con_puerto[2] or ""
    return primera.partition("%")[0]


def referrer_legible(texto: str, recolector: Recolector) -> str | None:
    """Una URL (RFC 3986) de web o de aplicación, de hasta 2.048 caracteres y sin credenciales.

    Se salva la que trae blancos, que se codifican; la que solo dice el anfitrión, que es `https`; la
    demasiado larga, de la que quedan origen y ruta, o solo el origen; y la que lleva usuario y contraseña,
    que nunca se guardan.
    """
    if len(texto) <= LONGITUD_REFERRER and not _FUERA_DE_UNA_URL.search(texto):
        normal = texto_legible(texto)
        cabe = len(normal) <= LONGITUD_REFERRER and not perdio_algo(texto, normal)
        if cabe and _es_de_web_o_aplicacion(normal):
            return normal
    reparado = _referrer_reparado(texto_legible(texto).strip())
    recolector.avisar("referrer_ilegible" if reparado is None else "referrer_reparado")
    return reparado


def _referrer_reparado(texto: str) -> str | None:
    partes = _URL.fullmatch(texto) or _SIN_ESQUEMA.fullmatch(texto)
    if partes is None:
        return None
    esquema, autoridad, ruta, resto = partes.groups()
    origen = f"{esquema or 'https'}://{autoridad.rpartition('@')[2]}"
    if _FUERA_DE_UNA_URL.search(origen) or not _es_de_web_o_aplicacion(origen):
        return None
    hasta_la_ruta = origen + _codificado(ruta)
    for candidato in (hasta_la_ruta + _codificado(resto), hasta_la_ruta, origen):
        if len(candidato) <= LONGITUD_REFERRER:
            return candidato
    return None


def _codificado(texto: str) -> str:
    """Lo que no cabe en una URL, como `%XX` (RFC 3986 §2.1)."""
    # Otra vez en NFC: lo que seguía a un blanco ahora sigue a una letra.
    return en_nfc(_FUERA_DE_UNA_URL.sub(lambda fuera: quote(fuera[0]), texto))


def _es_de_web_o_aplicacion(texto: str) -> bool:
    try:
        partes = urlsplit(texto)
        if not _MAS_QUE_UN_ANFITRION.search(partes.netloc):
            # Ni puerto, ni usuario, ni corchetes: no queda nada que leer dentro.
            return partes.scheme in _ESQUEMAS_REFERRER and bool(partes.netloc)
        # Lanza si no es un número: en `https://ana:cla/ve@shop.example` es el principio de una contraseña.
        _ = partes.port
    except ValueError:
        return False
    return partes.scheme in _ESQUEMAS_REFERRER and bool(partes.hostname) and "@" not in partes.netloc
