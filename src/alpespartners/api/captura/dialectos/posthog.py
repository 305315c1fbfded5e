"""La API HTTP con que los SDK de PostHog envían sus sucesos.

Qué es: sus direcciones y la forma de sus cuerpos, en JSON, en gzip o sin comprimir.
Qué no es: lo que necesita su SDK de navegador (`/flags/`, cuerpos en base64), que no se atiende.
Por qué existe: es la tabla de Segment con otros nombres.
"""

from collections.abc import Sequence
from typing import Final

from alpespartners.api.captura.dialectos.apertura import LISTA, Cuerpo, cuesta_leer
from alpespartners.api.captura.dialectos.puerta import LIMITES, Envio, Puerta, exigir_sucesos
from alpespartners.api.captura.dialectos.tabla import POSTHOG
from alpespartners.api.captura.dialectos.traduccion import enviado_de
from alpespartners.api.http.claves import Dialecto, Llavero
from alpespartners.api.http.rutas import Ruta
from alpespartners.modulos.tracking.aplicacion.recepcion import Recepcion
from alpespartners.seedwork.json_estricto import leer_lo_legible

_DIRECCIONES: Final = ("/batch", "/capture", "/e", "/i/v0/e")
"""Sin la barra final, que no cuenta."""


def rutas_de_posthog(recepcion: Recepcion, llavero: Llavero, segundos_de_cuerpo: float) -> list[Ruta]:
    """Las suyas."""
    puerta = Puerta(
        dialecto=Dialecto.POSTHOG,
        tabla=POSTHOG,
        acuse={"status": 1},
        recepcion=recepcion,
        llavero=llavero,
        segundos_de_cuerpo=segundos_de_cuerpo,
        # Sus SDK la ponen siempre en el cuerpo.
        limites_sin_cabecera=LIMITES,
    )
    return [puerta.ruta(plantilla, _envio) for plantilla in _DIRECCIONES]


def _envio(cuerpo: Cuerpo) -> Envio:
    """Un suceso, una lista de ellos, o un objeto que la lleva en `batch`."""
    if cuerpo.sobre is None:
        sucesos = exigir_sucesos(cuerpo)
        return Envio(sucesos, None, _clave_de(_primero(sucesos)))
    sucesos = exigir_sucesos(cuerpo) if LISTA in cuerpo.sobre else [cuerpo.octetos]
    return Envio(sucesos, enviado_de(cuerpo.sobre, POSTHOG), _clave_de(cuerpo.sobre))


def _primero(sucesos: Sequence[bytes]) -> object:
    """Lo que se entienda del primero, que es el que dice la clave."""
    return leer_lo_legible(sucesos[0]) if sucesos and not cuesta_leer(sucesos[0]) else None


def _clave_de(suceso: object) -> object:
    if not isinstance(suceso, dict):
        return None
    libres = suceso.get("properties")
    entre_ellas = libres.get("token") if isinstance(libres, dict) else None
    return suceso.get("api_key") or suceso.get("token") or entre_ellas
