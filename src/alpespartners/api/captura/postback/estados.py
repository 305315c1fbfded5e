"""Qué es cada estado que dice una red: una conversión de un tipo, o nada todavía.

Qué es: lo que dice la tabla del dialecto, con lo que la URL dice en su lugar (`estados=paid:VENTA,hold:-`) y,
en Keitaro, con las palabras de la red (`sale_status=paid,confirmed`).
Por qué existe: la misma red avisa de lo aprobado, de lo que espera, de lo rechazado y de sus pruebas por la
misma dirección, y cada una lo llama a su manera.
"""

from collections.abc import Mapping
from typing import Final

from alpespartners.api.captura.postback.tabla import ESTADOS, Tabla
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido, Codigo
from alpespartners.modulos.tracking.dominio.objetos_valor import TipoConversion, tipo

ESTADOS_MAXIMOS: Final = 32
NINGUNA: Final = "-"
"""Lo que se escribe de un estado que no es de una conversión."""


def tipo_del_estado(
    estado: str, dichos: Mapping[str, str], tabla: Tabla
) -> tuple[bool, TipoConversion | None]:
    """Dice si ese estado es el de una conversión y, si lo dice, de qué tipo.

    Args:
        estado: como lo escribió la red.
        dichos: los demás parámetros, por su nombre.
        tabla: la de su dialecto.

    Raises:
        CampoInvalido: `estados` no se entiende.
    """
    escrito = estado.strip().lower()
    suyos: dict[str, str | None] = {**tabla.estados, **_leidos(dichos.get(ESTADOS, ""))}
    if escrito not in suyos:
        escrito = _en_palabras_de_la_red(dichos, tabla).get(escrito, escrito)
    suyo = suyos.get(escrito, NINGUNA)
    return suyo != NINGUNA, None if suyo in {None, NINGUNA} else TipoConversion(suyo)


def _en_palabras_de_la_red(dichos: Mapping[str, str], tabla: Tabla) -> dict[str, str]:
    return {
        palabra.strip().lower(): canonico
        for parametro, canonico in tabla.mapas.items()
        for palabra in dichos.get(parametro, "").split(",", ESTADOS_MAXIMOS)[:ESTADOS_MAXIMOS]
        if palabra.strip()
    }


def _leidos(escritos: str) -> dict[str, str]:
    leidos: dict[str, str] = {}
    pares = [par for par in escritos.split(",") if par.strip()]
    if len(pares) > ESTADOS_MAXIMOS:
        raise CampoInvalido(ESTADOS, Codigo.LONGITUD_EXCEDIDA, f"admite como mucho {ESTADOS_MAXIMOS} estados")
    for par in pares:
        estado, separador, escrito = (parte.strip() for parte in par.partition(":"))
        if not (estado and separador):
            raise CampoInvalido(
                ESTADOS, Codigo.VALOR_NO_PERMITIDO, "debe ser como approved:VENTA,hold:-, entre comas"
            )
        leidos[estado.lower()] = NINGUNA if escrito == NINGUNA else tipo(ESTADOS, escrito, TipoConversion)
    return leidos
