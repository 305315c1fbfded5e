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
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final

from alpespartners.api.http.peticion import Peticion
from alpespartners.api.http.problemas import Problema

PRIMEROS_SEGMENTOS_ABIERTOS: Final = frozenset({"salud", "metricas", "docs", "openapi.json"})
"""Lo que no pide clave: lo leen sondas y personas que todavía no la tienen."""

_LOCALES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_DIRECCIONES_CORRIENTES: Final = frozenset({"127.0.0.1", "::1"})
_ANFITRION: Final = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+?)\.?(?::[0-9]{0,5})?", re.IGNORECASE)
_HUELLAS_DE_INTERMEDIARIO: Final = frozenset({b"forwarded", b"via", b"x-real-ip"})


class ReglasDeAcceso:
    """Las reglas de acceso de un servicio.

    `claves` vacío: solo esta máquina, y solo con un `Host` local o uno de `nombres`.
    `sin_clave` admite otras máquinas sin clave, pero no otros nombres.
    """

    def __init__(self, *, claves: Collection[str], sin_clave: bool, nombres: Collection[str]) -> None:
        self._claves = [clave.encode("utf-8") for clave in claves]
        self._sin_clave = sin_clave
        self._nombres = _LOCALES | {nombre.lower() for nombre in nombres}

    def comprobar(self, peticion: Peticion, partes: Sequence[str]) -> None:
        """No hace nada si la petición puede pasar; si no, lanza `Problema` 401, 403 o 421."""
        if self._claves:
            if partes[0] not in PRIMEROS_SEGMENTOS_ABIERTOS:
                self._exigir_clave(peticion)
            return
        if not self._sin_clave and not (_viene_de_esta_maquina(peticion) and _viene_directa(peticion)):
            raise Problema(
                403,
                "acceso_solo_local",
                "Acceso solo desde esta máquina",
                "Sin claves, el servicio atiende solo a esta máquina y sin intermediarios. "
                "Para abrirlo, defina ALPES_CLAVES_API (o ALPES_SIN_CLAVE=1 si la red ya es de confianza).",
            )
        if not self._anfitrion_conocido(peticion):
            raise Problema(
                421,
                "anfitrion_desconocido",
                "Anfitrión desconocido",
                "Sin claves, el servicio atiende solo a nombres locales. "
                "Para usar otro, añádalo a ALPES_NOMBRES o defina ALPES_CLAVES_API.",
            )

    def _exigir_clave(self, peticion: Peticion) -> None:
        valores = peticion.cabecera(b"authorization")
        if len(valores) == 1:
            esquema, _, ofrecida = valores[0].partition(b" ")
            ofrecida = ofrecida.strip(b" ")
            # Se compara con todas, sin parar en la que acierta: el tiempo no dice cuál fue.
            aciertos = [hmac.compare_digest(ofrecida, clave) for clave in self._claves]
            if esquema.lower() == b"bearer" and any(aciertos):
                return
        raise Problema(
            401,
            "clave_requerida",
            "Clave requerida",
            "Hace falta una de las claves de ALPES_CLAVES_API en la cabecera «Authorization: Bearer …».",
            cabeceras={"WWW-Authenticate": 'Bearer realm="alpespartners"'},
        )

    def _anfitrion_conocido(self, peticion: Peticion) -> bool:
        valores = peticion.cabecera(b"host")
        return len(valores) == 1 and _nombra_a_uno_de(self._nombres, valores[0])


# Es casi siempre el mismo.
@lru_cache(256)
def _nombra_a_uno_de(nombres: frozenset[str], anfitrion: bytes) -> bool:
    """Dice si una cabecera `Host` nombra a uno de esos o a una dirección de esta máquina."""
    hallado = _ANFITRION.fullmatch(anfitrion.decode("latin-1"))
    if hallado is None:
        return False
    nombre = hallado[1].lower()
    return nombre in nombres or _es_direccion_local(nombre.strip("[]"))


def _viene_de_esta_maquina(peticion: Peticion) -> bool:
    cliente = peticion.scope.get("client")
    # Por un socket Unix no hay dirección: quien llega a él ya está en esta máquina.
    return cliente is None or _es_direccion_local(cliente[0])


def _viene_directa(peticion: Peticion) -> bool:
    return not _pasaron_por_otro(tuple(peticion.nombres))


# Un cliente envía siempre las mismas.
@lru_cache(256)
def _pasaron_por_otro(nombres: Sequence[bytes]) -> bool:
    return any(
        nombre.startswith(b"x-forwarded-") or nombre in _HUELLAS_DE_INTERMEDIARIO for nombre in nombres
    )


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
