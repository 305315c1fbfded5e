"""Dónde está el binario de pulsar-lite, si lo hay para esta plataforma."""

import platform
import sys
from importlib.util import find_spec
from pathlib import Path

from alpespartners.seedwork.arranque import ErrorDeArranque


def encontrar_binario() -> Path:
    """La ruta del ejecutable del paquete ``pulsar-lite``, sin importarlo (cargaría el cliente entero).

    Hay paquete para Linux x86-64 con glibc y macOS arm64. Windows no tiene ``flock``, y sin él no hay forma
    segura de compartirlo.

    Raises:
        ErrorDeArranque: no hay broker embebido para esta plataforma.
    """
    paquete = find_spec("pulsar_lite")
    if sys.platform != "win32" and paquete is not None and paquete.origin is not None:
        ruta = Path(paquete.origin).with_name("bin") / "pulsar-lite"
        if ruta.is_file():
            return ruta
    raise ErrorDeArranque(
        f"No hay broker embebido para esta plataforma ({platform.system()} {platform.machine()}): "
        "defina ALPES_PULSAR_URL o use docker compose."
    )
