"""Quién puede hablar con la API: claves, o solo esta máquina.

Qué es: la comprobación que va antes de mirar la ruta, con las tres negativas (401, 403 y 421) y, en cada
una, la variable de entorno que la resuelve.
Qué no es: un sistema de usuarios ni de permisos; una clave da acceso a todo.
Por qué existe: el servicio arranca sin configurar nada. Mientras no haya claves, ni otra máquina ni una
página web abierta en esta (que puede hacer que su nombre apunte a 127.0.0.1) deben poder usarlo.
"""

import hmac
import ipaddress
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from starlette.requests import Request

from alpespartners.api.http.cabeceras import Cabeceras, cabeceras_de
from alpespartners.api.http.descripcion import Contestacion
from alpespartners.api.http.problemas import ErrorHTTP, contestacion_de_error

PRIMEROS_SEGMENTOS_ABIERTOS: Final = frozenset(
    {
        *("", "salud", "metricas", "docs", "openapi.json"),
        # Los otros nombres que llevan a ellos (operacion/otros_nombres.py).
        *("health", "healthz", "livez", "readyz", "metrics", "swagger", "redoc", "openapi", "swagger.json"),
    }
)
"""Lo que no pide clave: lo leen sondas y personas que todavía no la tienen."""

_LOCALES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_DIRECCIONES_CORRIENTES: Final = frozenset({"127.0.0.1", "::1"})
_ANFITRION: Final = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+?)\.?(?::[0-9]{0,5})?", re.IGNORECASE)
_HUELLA_DE_INTERMEDIARIO: Final = re.compile(rb"x-forwarded-|(?:forwarded|via|x-real-ip)\Z")


class ReglasDeAcceso:
    """Las reglas de acceso de un servicio.

    `claves` vacío: solo esta máquina, y solo con un `Host` local o uno de `nombres`.
    `sin_clave` admite otras máquinas sin clave, pero no otros nombres.
    """

    def __init__(self, *, claves: Collection[str], sin_clave: bool, nombres: Collection[str]) -> None:
        self._claves = [clave.encode("utf-8") for clave in claves]
        self._sin_clave = sin_clave
        self._nombres = _LOCALES | {nombre.lower() for nombre in nombres}

    def comprobar(self, peticion: Request, partes: Sequence[str]) -> None:
        """No hace nada si la petición puede pasar; si no, lanza `ErrorHTTP` 401, 403 o 421."""
        cabeceras = cabeceras_de(peticion)
        if self._claves:
            if pide_clave(partes):
                self._exigir_clave(cabeceras)
            return
        if not self._sin_clave and not (_viene_de_esta_maquina(peticion) and _viene_directa(cabeceras)):
            raise _acceso_solo_local()
        if not self._anfitrion_conocido(cabeceras):
            raise _anfitrion_desconocido()

    def _exigir_clave(self, cabeceras: Cabeceras) -> None:
        valores = cabeceras.get(b"authorization", ())
        if len(valores) == 1:
            esquema, _, resto = valores[0].partition(" ")
            ofrecida = resto.strip(" ").encode("latin-1")
            # Se compara con todas, sin parar en la que acierta: el tiempo no dice cuál fue.
            aciertos = [hmac.compare_digest(ofrecida, clave) for clave in self._claves]
            if esquema.lower() == "bearer" and any(aciertos):
                return
        raise _clave_requerida()

    def _anfitrion_conocido(self, cabeceras: Cabeceras) -> bool:
        valores = cabeceras.get(b"host", ())
        hallado = _ANFITRION.fullmatch(valores[0]) if len(valores) == 1 else None
        if hallado is None:
            return False
        nombre = hallado[1].lower()
        return nombre in self._nombres or _es_direccion_local(nombre.strip("[]"))


def pide_clave(partes: Sequence[str]) -> bool:
    """Dice si a la ruta de esos segmentos solo se entra con clave, cuando las hay."""
    return partes[0] not in PRIMEROS_SEGMENTOS_ABIERTOS


def _clave_requerida() -> ErrorHTTP:
    return ErrorHTTP(
        401,
        "clave_requerida",
        "Clave requerida",
        "Hace falta una de las claves de ALPES_CLAVES_API en la cabecera «Authorization: Bearer …».",
        cabeceras={"WWW-Authenticate": 'Bearer realm="alpespartners"'},
    )


def _acceso_solo_local() -> ErrorHTTP:
    return ErrorHTTP(
        403,
        "acceso_solo_local",
        "Acceso solo desde esta máquina",
        "Sin claves, el servicio atiende solo a esta máquina y sin intermediarios. "
        "Para abrirlo, defina ALPES_CLAVES_API (o ALPES_SIN_CLAVE=1 si la red ya es de confianza).",
    )


def _anfitrion_desconocido() -> ErrorHTTP:
    return ErrorHTTP(
        421,
        "anfitrion_desconocido",
        "Anfitrión desconocido",
        "Sin claves, el servicio atiende solo a nombres locales. "
        "Para usar otro, añádalo a ALPES_NOMBRES o defina ALPES_CLAVES_API.",
    )


NEGATIVAS: Final[Mapping[int, Contestacion]] = {
    401: contestacion_de_error(
        "401",
        "Falta la clave o no es ninguna de las definidas.",
        _clave_requerida(),
        cabeceras={"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}},
    ),
    403: contestacion_de_error(
        "403",
        "Sin claves definidas, solo se atiende a esta máquina y sin intermediarios.",
        _acceso_solo_local(),
    ),
    421: contestacion_de_error(
        "421",
        "Sin claves definidas, solo se atiende a nombres locales o de `ALPES_NOMBRES`.",
        _anfitrion_desconocido(),
    ),
}


def _viene_de_esta_maquina(peticion: Request) -> bool:
    # Por un socket Unix no hay dirección: quien llega a él ya está en esta máquina.
    cliente = peticion.scope.get("client")
    return cliente is None or _es_direccion_local(cliente[0])


def _viene_directa(cabeceras: Cabeceras) -> bool:
    return not any(map(_HUELLA_DE_INTERMEDIARIO.match, cabeceras))


def _es_direccion_local(texto: str) -> bool:
    if texto in _DIRECCIONES_CORRIENTES:
        return True
    try:
        direccion = ipaddress.ip_address(texto)
    except ValueError:
        return False
    if isinstance(direccion, ipaddress.IPv6Address) and direccion.ipv4_mapped is not None:
        return direccion.ipv4_mapped.is_loopback
    return direccion.is_loopback
