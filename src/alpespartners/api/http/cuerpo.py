"""Lectura del cuerpo de un envío: tipo de contenido, tamaño y tiempo.

Qué es: los límites que se comprueban antes de interpretar nada.
Qué no es: el lector de JSON (`seedwork/json_estricto.py`).
Por qué existe: un cuerpo enorme, lento o cortado a la mitad no puede ocupar memoria ni publicar nada.
"""

from typing import Final

from alpespartners.api.http.peticion import Peticion
from alpespartners.api.http.problemas import Problema
from alpespartners.seedwork.plazo import en_el_plazo

OCTETOS_MAXIMOS: Final = 64 * 1024
SEGUNDOS_MAXIMOS: Final = 10.0
CIFRAS_DE_UNA_LONGITUD: Final = 18


async def leer_cuerpo(peticion: Peticion, segundos: float) -> bytes:
    """Devuelve el cuerpo entero de una petición `application/json`.

    Raises:
        Problema: 415 (tipo o codificación), 413 (más de 64 KiB) o 408 (no llegó entero en ese plazo).
        ClienteAusente: el cliente se fue antes de terminar.
    """
    _exigir_json(peticion)
    longitud = next(iter(peticion.cabecera(b"content-length")), b"")
    if longitud.isdigit() and (len(longitud) > CIFRAS_DE_UNA_LONGITUD or int(longitud) > OCTETOS_MAXIMOS):
        raise _demasiado_grande()
    try:
        return await en_el_plazo(_todo(peticion), segundos)
    except TimeoutError:
        raise Problema(
            408,
            "cuerpo_demasiado_lento",
            "Cuerpo demasiado lento",
            f"El cuerpo no llegó entero en {segundos:g} segundos.",
            # Lo que queda por llegar no debe leerse como otra petición.
            cabeceras={"Connection": "close"},
        ) from None


async def _todo(peticion: Peticion) -> bytes:
    primero, hay_mas = await peticion.trozo()
    if not hay_mas and len(primero) <= OCTETOS_MAXIMOS:
        return primero
    cuerpo = bytearray(primero)
    while hay_mas and len(cuerpo) <= OCTETOS_MAXIMOS:
        trozo, hay_mas = await peticion.trozo()
        cuerpo += trozo
    if len(cuerpo) > OCTETOS_MAXIMOS:
        raise _demasiado_grande()
    return bytes(cuerpo)


def _exigir_json(peticion: Peticion) -> None:
    tipos = peticion.cabecera(b"content-type")
    if len(tipos) != 1 or not _es_json(tipos[0]):
        raise Problema(
            415,
            "tipo_de_contenido_no_admitido",
            "Tipo de contenido no admitido",
            "El cuerpo debe llegar como «Content-Type: application/json», en UTF-8.",
            cabeceras={"Accept-Post": "application/json"},
        )
    codificaciones = peticion.cabecera(b"content-encoding")
    if codificaciones and {codificacion.strip().lower() for codificacion in codificaciones} - {b"identity"}:
        raise Problema(
            415,
            "codificacion_de_contenido_no_admitida",
            "Codificación de contenido no admitida",
            "El cuerpo debe llegar sin comprimir.",
            cabeceras={"Accept-Encoding": "identity"},
        )


def _es_json(tipo: bytes) -> bool:
    if tipo == b"application/json":
        return True
    medio, *parametros = tipo.lower().split(b";")
    if medio.strip() != b"application/json":
        return False
    for parametro in parametros:
        nombre, _, valor = parametro.partition(b"=")
        if nombre.strip() == b"charset" and valor.strip().strip(b'"') not in (b"utf-8", b"utf8"):
            return False
    return True


def _demasiado_grande() -> Problema:
    # La conexión no se cierra: el servidor descarta lo que siga llegando y el cliente alcanza a leer el 413.
    return Problema(
        413,
        "cuerpo_demasiado_grande",
        "Cuerpo demasiado grande",
        f"El cuerpo pasa de {OCTETOS_MAXIMOS // 1024} KiB.",
    )
