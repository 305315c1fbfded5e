"""Una anotación pequeña en un archivo, que tras un corte es la de antes o la nueva, nunca media.

Por qué existe: lo que una orden a medias recuerda es lo que le permite seguir, y se escribe miles de veces.
"""

import os
from pathlib import Path
from typing import Any

import msgspec


def anotar(ruta: Path, anotacion: msgspec.Struct) -> None:
    """La deja en el archivo, y en el disco, de una vez."""
    nueva = ruta.with_name(f"{ruta.name}.nueva")
    with nueva.open("wb") as archivo:
        archivo.write(msgspec.json.encode(anotacion))
        archivo.flush()
        os.fsync(archivo.fileno())
    nueva.replace(ruta)
    asegurar_carpeta(ruta.parent)


def leer_anotado(ruta: Path, forma: type[Any]) -> Any:
    """Lo que hay anotado; `None` si no hay nada, o no es una anotación de esta versión."""
    try:
        return msgspec.json.decode(ruta.read_bytes(), type=forma)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def asegurar_carpeta(carpeta: Path) -> None:
    """Lleva al disco los nombres que hay en ella: un cambio de nombre no está hasta entonces."""
    descriptor = os.open(carpeta, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
