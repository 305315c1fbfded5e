"""El destino de un enlace: adónde se redirige a quien lo sigue, y cómo se le añade algo.

Qué es: una dirección http o https absoluta (RFC 3986), escrita toda en ASCII para que quepa en `Location`.
Qué no es: saber si responde; nadie la visita.
Por qué existe: una redirección lleva a donde diga este texto, y lo que se le añade no debe cambiar lo demás.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, quote_plus, unquote_plus

from alpespartners.modulos.enlaces.dominio.anfitrion import anfitrion_legible
from alpespartners.modulos.enlaces.dominio.faltas import CodigoDeEnlace, NoVale

LONGITUD_DEL_DESTINO: Final = 2048
"""Octetos, que en un destino son caracteres."""

_PARTES: Final = re.compile(r"(https?)://([^/?#]*)(.*)", re.IGNORECASE)
_LUGAR: Final = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]+)(?::([0-9]{0,5}))?")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SUSTITUTO: Final = re.compile(r"[\ud800-\udfff]")
_SE_QUEDAN: Final = "!#$%&'()*+,/:;=?@[]~"
"""Con los que `quote` deja siempre, los que una URI admite; el `%` también, esté bien o mal puesto."""
_SEPARADORES: Final = re.compile("[&;]")
_PUERTO_MAXIMO: Final = 65_535


def destino_legible(texto: str) -> str:
    """El destino con el esquema y el anfitrión en minúsculas, y en ASCII; lo demás, como se escribió.

    Raises:
        NoVale: falta, no es una dirección http o https, lleva usuario, un espacio o un carácter de
            control, o mide más de `LONGITUD_DEL_DESTINO`.
    """
    if not texto:
        raise NoVale(CodigoDeEnlace.REQUERIDO, "es obligatorio")
    if len(texto) > LONGITUD_DEL_DESTINO:
        raise _largo()
    if _CONTROL.search(texto):
        raise NoVale(CodigoDeEnlace.CARACTER_DE_CONTROL, "contiene un carácter de control")
    if _SUSTITUTO.search(texto):
        raise NoVale(CodigoDeEnlace.SUSTITUTO_SUELTO, "contiene un carácter sustituto suelto")
    partes = _PARTES.fullmatch(texto)
    if partes is None:
        raise NoVale(
            CodigoDeEnlace.VALOR_NO_PERMITIDO,
            "debe ser una dirección entera que empiece por https:// o http://",
        )
    esquema, lugar, resto = partes.groups()
    if "@" in lugar:
        raise NoVale(CodigoDeEnlace.VALOR_NO_PERMITIDO, "no puede llevar usuario ni contraseña")
    if any(caracter.isspace() for caracter in texto):
        raise NoVale(CodigoDeEnlace.VALOR_ILEGIBLE, "contiene un espacio: escríbalo como %20")
    destino = f"{esquema.lower()}://{_lugar(lugar)}{quote(resto, safe=_SE_QUEDAN)}"
    if len(destino) > LONGITUD_DEL_DESTINO:
        raise _largo()
    return destino


def anfitrion_de(destino: str) -> str:
    """El anfitrión de un destino legible, sin el puerto."""
    lugar = re.split("[/?#]", destino.partition("://")[2], maxsplit=1)[0]
    return lugar if lugar.endswith("]") else re.sub(r":[0-9]+\Z", "", lugar)


def lleva_parametro(destino: str, nombre: str) -> bool:
    """Dice si la consulta del destino tiene ya ese parámetro, aunque su nombre esté codificado."""
    return nombre in _nombres(_consulta(destino))


def exigir_sin_parametro(destino: str, nombre: str) -> str:
    """El mismo destino, que no puede tener ya el parámetro del clic.

    Raises:
        NoVale: lo tiene.
    """
    if lleva_parametro(destino, nombre):
        raise NoVale(
            CodigoDeEnlace.VALOR_NO_PERMITIDO,
            f"ya lleva el parámetro del clic, {nombre}: se lo pone cada clic",
        )
    return destino


def con_parametros(destino: str, parametros: Mapping[str, str]) -> str:
    """El destino con esos parámetros al final de su consulta y antes de su fragmento; lo demás no cambia.

    El que el destino ya tiene se queda como está: lo que dijo quien hizo el enlace no lo cambia quien lo
    sigue.
    """
    sin_fragmento, almohadilla, fragmento = destino.partition("#")
    consulta = _consulta(destino)
    hay = _nombres(consulta)
    nuevos = "&".join(
        f"{quote_plus(nombre)}={quote_plus(valor)}"
        for nombre, valor in parametros.items()
        if nombre not in hay
    )
    if not nuevos:
        return destino
    if consulta:
        union = "" if consulta.endswith("&") else "&"
    else:
        union = "" if sin_fragmento.endswith("?") else "?"
    return f"{sin_fragmento}{union}{nuevos}{almohadilla}{fragmento}"


def _lugar(lugar: str) -> str:
    partes = _LUGAR.fullmatch(lugar)
    puerto = "" if partes is None else partes[2] or ""
    try:
        anfitrion = "" if partes is None else anfitrion_legible(partes[1])
    except ValueError:
        anfitrion = ""
    if not anfitrion or (puerto and not 1 <= int(puerto) <= _PUERTO_MAXIMO):
        raise NoVale(
            CodigoDeEnlace.VALOR_ILEGIBLE,
            "su anfitrión no es un nombre ni una IP que todos lean igual, o su puerto no existe",
        )
    return f"{anfitrion}:{int(puerto)}" if puerto else anfitrion


def _largo() -> NoVale:
    return NoVale(
        CodigoDeEnlace.LONGITUD_EXCEDIDA,
        f"admite como mucho {LONGITUD_DEL_DESTINO} caracteres, ya codificados",
    )


def _consulta(destino: str) -> str:
    return destino.partition("#")[0].partition("?")[2]


def _nombres(consulta: str) -> set[str]:
    # Hay servidores que separan también con «;».
    return {unquote_plus(par.partition("=")[0]) for par in _SEPARADORES.split(consulta)}
