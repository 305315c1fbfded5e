"""Lectura estricta de los parámetros de una consulta (`?limite=…&desde=…`).

Qué es: de la cadena cruda a un texto por parámetro, anotando todas las faltas.
Qué no es: lo que cada parámetro significa; eso lo decide la consulta.
Por qué existe: un filtro mal escrito que se ignorase devolvería totales equivocados sin avisar.
"""

from collections.abc import Collection
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.requests import Request

from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.modulos.tracking.dominio.normalizacion import en_nfc

MAXIMO_PARAMETROS: Final = 32


def leer_parametros(cadena: bytes, conocidos: Collection[str], recolector: Recolector) -> dict[str, str]:
    """Devuelve los parámetros conocidos; los desconocidos, repetidos, vacíos o ilegibles son faltas."""
    if not cadena:
        return {}
    if cadena.count(b"&") >= MAXIMO_PARAMETROS:
        recolector.anotar(
            "", CodigoDePeticion.PARAMETRO_INVALIDO, f"hay más de {MAXIMO_PARAMETROS} parámetros"
        )
        return {}
    leidos: dict[str, str] = {}
    vistos: set[str] = set()
    for par in filter(None, cadena.split(b"&")):
        nombre_crudo, _, valor_crudo = par.partition(b"=")
        nombre = _decodificado(nombre_crudo)
        # Una ñ puede venir en dos trozos, como las que escribe macOS.
        nombre = nombre and en_nfc(nombre)
        if nombre is None or nombre not in conocidos:
            permitidos = ", ".join(sorted(conocidos)) or "ninguno"
            recolector.anotar(
                nombre or "",
                CodigoDePeticion.PARAMETRO_DESCONOCIDO,
                f"no es un parámetro; los que hay: {permitidos}",
            )
            continue
        valor = _decodificado(valor_crudo)
        if nombre in vistos:
            recolector.anotar(nombre, CodigoDePeticion.PARAMETRO_INVALIDO, "aparece más de una vez")
            leidos.pop(nombre, None)
        elif not valor:
            falta = "no es UTF-8" if valor is None else "está vacío"
            recolector.anotar(nombre, CodigoDePeticion.PARAMETRO_INVALIDO, falta)
        else:
            leidos[nombre] = valor
        vistos.add(nombre)
    return leidos


def sin_parametros(peticion: Request) -> None:
    """Comprueba que una petición a una dirección que no admite ninguno no trae parámetros.

    Raises:
        DatosInvalidos: trae alguno.
    """
    recolector = Recolector()
    leer_parametros(peticion.scope["query_string"], (), recolector)
    recolector.exigir()


def _decodificado(crudo: bytes) -> str | None:
    try:
        return unquote_to_bytes(crudo.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        return None
