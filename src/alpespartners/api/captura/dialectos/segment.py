"""La API HTTP de Segment, que hablan también los SDK de RudderStack.

Qué es: sus direcciones, con su nombre y con su letra, y la forma de sus cuerpos.
Qué no es: la tabla de qué es cada suceso (`tabla.py`).
Por qué existe: quien ya envía a Segment cambia una dirección y una clave, y nada de su programa.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from alpespartners.api.captura.dialectos.apertura import Cuerpo
from alpespartners.api.captura.dialectos.puerta import LIMITES_SIN_CABECERA, Envio, Puerta, exigir_sucesos
from alpespartners.api.captura.dialectos.tabla import SEGMENT
from alpespartners.api.captura.dialectos.traduccion import enviado_de
from alpespartners.api.http.claves import Dialecto, Llavero
from alpespartners.api.http.rutas import Ruta
from alpespartners.modulos.tracking.aplicacion.recepcion import Recepcion
from alpespartners.seedwork.json_estricto import JsonIlegible

_DE_UNO: Final = {
    "track": ("track", "t"),
    "identify": ("identify", "i"),
    "page": ("page", "p"),
    "screen": ("screen", "s"),
    "group": ("group", "g"),
    "alias": ("alias", "a"),
}
"""De cada tipo de suceso, los nombres con que se envía uno solo."""
_DE_MUCHOS: Final = ("batch", "b", "import")


def rutas_de_segment(recepcion: Recepcion, llavero: Llavero, segundos_de_cuerpo: float) -> list[Ruta]:
    """Las suyas."""
    puerta = Puerta(
        dialecto=Dialecto.SEGMENT,
        tabla=SEGMENT,
        acuse={"success": True},
        recepcion=recepcion,
        llavero=llavero,
        segundos_de_cuerpo=segundos_de_cuerpo,
        limites_sin_cabecera=LIMITES_SIN_CABECERA,
    )

    def ruta(nombre: str, envio_de: Callable[[Cuerpo], Envio], tipo: str) -> Ruta:
        return puerta.ruta(f"/v1/{nombre}", envio_de, partial(_de_tipo, tipo))

    de_uno = [ruta(nombre, _uno, tipo) for tipo, nombres in _DE_UNO.items() for nombre in nombres]
    return [*de_uno, *(ruta(nombre, _muchos, "track") for nombre in _DE_MUCHOS)]


def _uno(cuerpo: Cuerpo) -> Envio:
    """Un suceso solo, que no dice de qué tipo es: lo dice la dirección."""
    return _envio(cuerpo, [cuerpo.octetos])


def _muchos(cuerpo: Cuerpo) -> Envio:
    return _envio(cuerpo, exigir_sucesos(cuerpo))


def _envio(cuerpo: Cuerpo, sucesos: Sequence[bytes]) -> Envio:
    if cuerpo.sobre is None:
        raise JsonIlegible("El cuerpo no es un objeto.")
    return Envio(sucesos, enviado_de(cuerpo.sobre, SEGMENT), cuerpo.sobre.get("writeKey"))


def _de_tipo(tipo: str, suceso: object) -> object:
    """El suceso, con su tipo si no lo decía."""
    return {"type": tipo, **suceso} if isinstance(suceso, dict) else suceso
