"""El anfitrión de una dirección: un nombre, una IPv4 o una IPv6, escrito de una sola manera.

Qué es: su lectura, con los nombres de fuera de ASCII en la forma `xn--` (RFC 3490, la de la biblioteca
estándar).
Qué no es: saber si existe; aquí no se pregunta a nadie.
Por qué existe: lo que este programa lee como un nombre y el navegador como otro es una redirección abierta.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

_ETIQUETA: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NOMBRE: Final = re.compile(rf"{_ETIQUETA}(?:\.{_ETIQUETA})*")
_LONGITUD_DE_UN_NOMBRE: Final = 253
_NUMERICA: Final = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")
# Los que RFC 3490 cambia por otros y RFC 5891 no: el navegador iría a otro sitio.
_DUDOSOS: Final = frozenset("ßẞς\u200c\u200d")


def anfitrion_legible(texto: str) -> str:
    """El anfitrión en minúsculas y en ASCII; una IPv6, entre corchetes como llegó.

    Raises:
        ValueError: no es ninguno, o hay programas que lo leerían de otro modo; sin frase.
    """
    if texto.startswith("[") and texto.endswith("]"):
        return f"[{_ipv6(texto[1:-1])}]"
    nombre = texto.lower() if texto.isascii() else _en_ascii(texto)
    if len(nombre) > _LONGITUD_DE_UN_NOMBRE or not _NOMBRE.fullmatch(nombre):
        raise ValueError
    # Un navegador lee como IPv4 todo lo que acaba en un número: 2130706433, 0x7f.1
    if _NUMERICA.fullmatch(nombre.rpartition(".")[2]):
        return str(IPv4Address(nombre))
    return nombre


def _ipv6(texto: str) -> IPv6Address:
    direccion = IPv6Address(texto)
    if direccion.scope_id is not None:
        raise AddressValueError
    return direccion


def _en_ascii(texto: str) -> str:
    if len(texto) > _LONGITUD_DE_UN_NOMBRE or _DUDOSOS.intersection(texto):
        raise ValueError
    return texto.encode("idna").decode().lower()
