"""Claves guardadas para pruebas, y de dónde se leen sin base de datos."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from alpespartners.modulos.claves.aplicacion.creacion import ClavePedida, nueva_clave
from alpespartners.modulos.claves.aplicacion.llavero import (
    ClavesNoDisponibles,
    Lectura,
    LlaveroGuardado,
    Marca,
)
from alpespartners.modulos.claves.dominio.clave import ClaveGuardada

AHORA = datetime(2026, 11, 29, 12, tzinfo=UTC)


def una_clave(*alcances: str, **pedida: Any) -> tuple[ClaveGuardada, str]:
    """Una clave con esos alcances, y su texto."""
    return nueva_clave(ClavePedida(nombre="de prueba", alcances=alcances, **pedida), AHORA)


@dataclass
class ClavesEnMemoria:
    """Donde se guardan; cumple `Leer`.

    Attributes:
        responde: si se pueden leer.
        lecturas: la marca que ya se tenía en cada lectura.
    """

    claves: list[ClaveGuardada] = field(default_factory=list)
    responde: bool = True
    lecturas: list[Marca | None] = field(default_factory=list)

    async def leer(self, conocida: Marca | None) -> Lectura:
        self.lecturas.append(conocida)
        if not self.responde:
            raise ClavesNoDisponibles("no está")
        marca = (len(self.claves), sum(clave.revocada_en is not None for clave in self.claves))
        return Lectura(marca, None if marca == conocida else list(self.claves))

    def crear(self, *alcances: str, **pedida: Any) -> str:
        """Guarda una clave nueva y devuelve su texto."""
        guardada, texto = una_clave(*alcances, **pedida)
        self.claves.append(guardada)
        return texto


async def llavero_con(claves: ClavesEnMemoria) -> LlaveroGuardado:
    """Un llavero que ya las ha leído."""
    llavero = LlaveroGuardado(claves.leer, lambda: AHORA)
    await llavero.ponerse_al_dia()
    return llavero
