"""De quién viene una petición que hizo un navegador: su dirección, su agente y de dónde venía.

Qué es: lo que la petición deja saber de quien la hizo, con la privacidad que se haya pedido para las
direcciones. Detrás de un intermediario, la dirección sale de lo que él escribió, y de nadie más.
Qué no es: el juicio de si es un robot, ni quien limita cuánto puede pedir (`limite_por_direccion.py`).
Por qué existe: `X-Forwarded-For` lo puede enviar cualquiera. Quien lo creyera sin saber de quién viene
dejaría que cada uno eligiera su dirección, que es con lo que se reconoce a quien abusa.
"""

import hmac
import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from starlette.requests import Request

from alpespartners.api.http.cabeceras import Cabeceras, cabeceras_de

Direccion = ipaddress.IPv4Address | ipaddress.IPv6Address
Red = ipaddress.IPv4Network | ipaddress.IPv6Network
Leer = Callable[[str], Direccion | None]
"""De un elemento de una cabecera a la dirección que nombra; `None`, ninguna."""

DIRECCION_RESUMIDA: Final = "direccion_resumida"
"""La propiedad en que queda el resumen de una dirección que no se guarda."""
LETRAS_DE_UNA_CADENA: Final = 4 * 1024
"""Las que se leen de las direcciones que dicen los intermediarios, por el final: lo demás no decide nada."""
SALTOS_MAXIMOS: Final = 32
"""Intermediarios de confianza seguidos; con más, no se sabe de quién viene."""
LETRAS_DE_UNA_CABECERA: Final = 8 * 1024
"""Las que se leen de un agente o de una procedencia, que el dominio recorta después con su aviso."""

_OCTETOS_DEL_RESUMEN: Final = 16
_DE_ESTA_MAQUINA: Final = ipaddress.IPv4Address("127.0.0.1")
_CON_PUERTO: Final = re.compile(r"\[([^\[\]]*)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")
_PAR: Final = re.compile(r'([A-Za-z]+)=(?:"([^"\\]*)"|([^\s"\\,;=]+))')
_RECORTADAS: Final = {4: 24, 6: 48}


class Privacidad(StrEnum):
    """Qué se guarda de la dirección de un visitante."""

    ENTERA = "entera"
    RECORTADA = "recortada"
    """Su red: /24 en IPv4 y /48 en IPv6."""
    RESUMIDA = "resumida"
    """Un HMAC-SHA256 suyo, de 16 octetos: se sabe si dos son la misma, y no cuál."""


@dataclass(frozen=True, slots=True)
class Visitante:
    """Lo que se sabe de quien hizo una petición.

    Attributes:
        direccion: la que se puede guardar, en su forma canónica (RFC 5952); `None`, ninguna.
        agente: el de usuario, tal como llegó.
        procedencia: de dónde dice que viene (`Referer`), tal como llegó.
        extra: lo que va entre las propiedades del evento.
        origen: a quién se limita: la dirección entera o, si no se sabe, la de quien abrió la conexión. Ni se
            guarda ni se anota.
    """

    direccion: str | None
    agente: str | None
    procedencia: str | None
    extra: Mapping[str, str]
    origen: str | None = field(default=None, repr=False)


class Visitantes:
    """Quien sabe de quién viene cada petición.

    Args:
        proxies: las redes de los intermediarios cuya palabra vale; sin ninguna, no vale la de nadie.
        privacidad: qué se guarda de una dirección.
        secreto: con qué se resume; solo hace falta con `Privacidad.RESUMIDA`.
    """

    def __init__(self, proxies: Collection[Red], privacidad: Privacidad, secreto: bytes = b"") -> None:
        if privacidad is Privacidad.RESUMIDA and not secreto:
            raise ValueError("resumir direcciones sin secreto las dejaría a la vista de quien las probara")
        self._proxies = {version: [red for red in proxies if red.version == version] for version in (4, 6)}
        self._privacidad = privacidad
        self._secreto = secreto

    def de(self, peticion: Request) -> Visitante:
        """Devuelve el de esa petición."""
        cabeceras = cabeceras_de(peticion)
        par = _par_de(peticion)
        suya = None if par is None else self._de_quien(par, cabeceras)
        direccion, extra = (None, {}) if suya is None else self._guardable(suya)
        origen = suya or par
        return Visitante(
            direccion,
            _texto(cabeceras, b"user-agent"),
            _texto(cabeceras, b"referer"),
            extra,
            None if origen is None else str(origen),
        )

    def _de_quien(self, par: Direccion, cabeceras: Cabeceras) -> Direccion | None:
        """La dirección de quien hizo la petición que trajo ese par; `None`, no se puede saber.

        Un intermediario suele escribir una de las dos cabeceras y dejar pasar la otra, que entonces es de
        quien pide. Como no se sabe cuál escribe, si vienen las dos solo se cree en lo que dicen igual.
        """
        if not self._es_de_confianza(par):
            return par
        dichas = [
            self._primera_ajena(saltos)
            for saltos in (
                _saltos(cabeceras, b"x-forwarded-for", _con_puerto_o_sin_el),
                _saltos(cabeceras, b"forwarded", _de_un_forwarded),
            )
            if saltos is not None
        ]
        if not dichas:
            return par
        return dichas[0] if all(dicha == dichas[0] for dicha in dichas) else None

    def _primera_ajena(self, saltos: Iterable[Direccion | None]) -> Direccion | None:
        """La primera, desde la derecha, que no es de un intermediario de confianza; si lo son, la última.

        Lo que hay más a la izquierda lo escribió quien pide.
        """
        suya: Direccion | None = None
        for leidos, salto in enumerate(saltos, 1):
            if salto is None or leidos > SALTOS_MAXIMOS:
                return None
            suya = salto
            if not self._es_de_confianza(suya):
                break
        return suya

    def _es_de_confianza(self, direccion: Direccion) -> bool:
        return any(direccion in red for red in self._proxies[direccion.version])

    def _guardable(self, direccion: Direccion) -> tuple[str | None, Mapping[str, str]]:
        match self._privacidad:
            case Privacidad.ENTERA:
                return str(direccion), {}
            case Privacidad.RECORTADA:
                red = ipaddress.ip_network((direccion, _RECORTADAS[direccion.version]), strict=False)
                return str(red.network_address), {}
            case Privacidad.RESUMIDA:
                resumen = hmac.digest(self._secreto, direccion.packed, "sha256")[:_OCTETOS_DEL_RESUMEN]
                return None, {DIRECCION_RESUMIDA: resumen.hex()}


def _par_de(peticion: Request) -> Direccion | None:
    """La de quien abrió la conexión; por un socket Unix, que no la tiene, la de esta máquina."""
    cliente = peticion.scope.get("client")
    return _DE_ESTA_MAQUINA if cliente is None else _direccion(cliente[0])


def _saltos(cabeceras: Cabeceras, nombre: bytes, leer: Leer) -> Iterator[Direccion | None] | None:
    """Lo que dice esa cabecera, de derecha a izquierda; `None` si no dice nada.

    Sus líneas son una sola lista (RFC 9110 §5.3), y el intermediario escribe al final.
    """
    junta = ",".join(cabeceras.get(nombre, ()))
    if len(junta) > LETRAS_DE_UNA_CADENA:
        # El elemento por el que se corta no se lee: sería otra dirección.
        junta = "…" + junta[-LETRAS_DE_UNA_CADENA:]
    elementos = [elemento for elemento in map(str.strip, junta.split(",")) if elemento]
    return map(leer, reversed(elementos)) if elementos else None


def _de_un_forwarded(elemento: str) -> Direccion | None:
    """La de un elemento de `Forwarded` (RFC 7239 §4); `unknown` y los ofuscados no son una dirección.

    Se parte por las comas sin mirar si van entre comillas: un trozo de lo que va entre comillas (el `Host`
    que eligió quien pide) lleva unas comillas sin pareja o una barra, y así no se lee.
    """
    nombradas: list[str] = []
    for escrito in elemento.split(";"):
        par = _PAR.fullmatch(escrito.strip())
        if par is None:
            return None
        if par[1].lower() == "for":
            nombradas.append(par[2] if par[3] is None else par[3])
    return _con_puerto_o_sin_el(nombradas[0]) if len(nombradas) == 1 else None


def _con_puerto_o_sin_el(texto: str) -> Direccion | None:
    con_puerto = _CON_PUERTO.fullmatch(texto)
    return _direccion(texto if con_puerto is None else con_puerto[1] or con_puerto[2] or "")


def _direccion(texto: str) -> Direccion | None:
    """Una IPv4 envuelta en IPv6 es la IPv4; una con zona no es de nadie de fuera."""
    try:
        direccion = ipaddress.ip_address(texto)
    except ValueError:
        return None
    if isinstance(direccion, ipaddress.IPv6Address):
        return None if direccion.scope_id is not None else direccion.ipv4_mapped or direccion
    return direccion


def _texto(cabeceras: Cabeceras, nombre: bytes) -> str | None:
    """La primera línea de esa cabecera, que suele ser ASCII o UTF-8; `None` si falta o está vacía."""
    escrito = next(iter(cabeceras.get(nombre, ())), "")
    if not escrito.isascii():
        with suppress(UnicodeDecodeError):
            escrito = escrito.encode("latin-1").decode("utf-8")
    return escrito[:LETRAS_DE_UNA_CABECERA] or None
