"""Un enlace corto: de qué campaña y de quién es, y adónde lleva.

Qué es: sus datos y la regla de cada uno de los que son suyos.
Qué no es: un clic, ni quien redirige. De la campaña y del influencer no se sabe más que cómo se llaman.
Por qué existe: el crédito de un clic sale de aquí y de nada que traiga la petición de quien lo hace.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from alpespartners.modulos.enlaces.dominio.anfitrion import anfitrion_legible
from alpespartners.modulos.enlaces.dominio.destino import anfitrion_de
from alpespartners.modulos.enlaces.dominio.faltas import CodigoDeEnlace, NoVale

LONGITUD_DE_ENLACE: Final = 64
FORMA_DE_ENLACE: Final = rf"[A-Za-z0-9_-]{{1,{LONGITUD_DE_ENLACE}}}"
FORMA_DE_PARAMETRO: Final = "[a-z][a-z0-9_]{0,31}"
PARAMETRO_CLIC: Final = "alp_clic"
DOMINIOS_MAXIMOS: Final = 20
COMODIN: Final = "*."
DE_LA_VISITA: Final = re.compile(r"sub[1-5]|utm_[a-z0-9_]{1,32}")
"""Los parámetros de quien sigue el enlace que pasan al destino: el del clic no puede ser uno de ellos."""

_ENLACE: Final = re.compile(FORMA_DE_ENLACE)
_PARAMETRO: Final = re.compile(FORMA_DE_PARAMETRO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enlace:
    """Un enlace corto.

    Attributes:
        enlace_id: de 1 a 64 letras sin tilde, cifras, guiones y guiones bajos.
        campaña_id: la de sus clics; no cambia.
        influencer_id: de quién son sus clics, si es de alguien; no cambia.
        destino: adónde lleva, http o https.
        cupon: el que se anuncia con él, si hay alguno.
        parametro_clic: con qué nombre recibe el destino el identificador del clic; no cambia.
        dominios_permitidos: a qué otros anfitriones puede llevar un destino firmado; `*.tienda.com` son todos
            los que acaban así, y no `tienda.com`.
        vence_en: desde cuándo no cuenta sus clics, en UTC; `None`, nunca.
        creado_en: cuándo se hizo, en UTC.
    """

    enlace_id: str
    campaña_id: str
    influencer_id: str | None = None
    destino: str
    cupon: str | None = None
    parametro_clic: str = PARAMETRO_CLIC
    dominios_permitidos: tuple[str, ...] = ()
    vence_en: datetime | None = None
    creado_en: datetime

    @property
    def ruta(self) -> str:
        """La del enlace corto en el servicio que redirige."""
        return f"/c/{self.enlace_id}"

    def dice_lo_mismo(self, otro: "Enlace") -> bool:
        """Dice si solo difieren, si en algo, en cuándo se hicieron."""
        return all(
            getattr(self, campo.name) == getattr(otro, campo.name)
            for campo in fields(self)
            if campo.name != "creado_en"
        )

    def vencido(self, ahora: datetime) -> bool:
        """Dice si en ese instante ya no cuenta sus clics."""
        return self.vence_en is not None and self.vence_en <= ahora

    def permite(self, destino: str) -> bool:
        """Dice si el anfitrión de ese destino, que es legible, está entre los permitidos."""
        anfitrion = anfitrion_de(destino)
        return any(
            anfitrion.endswith(dominio.removeprefix("*"))
            if dominio.startswith(COMODIN)
            else anfitrion == dominio
            for dominio in self.dominios_permitidos
        )


def puede_ser_enlace(texto: str) -> bool:
    """Dice si un enlace se puede llamar así."""
    return _ENLACE.fullmatch(texto) is not None


def enlace_legible(texto: str) -> str:
    """El identificador de un enlace, que va tal cual en una dirección.

    Raises:
        NoVale: falta, es largo o lleva otros caracteres.
    """
    if not texto:
        raise NoVale(CodigoDeEnlace.REQUERIDO, "es obligatorio")
    if len(texto) > LONGITUD_DE_ENLACE:
        raise NoVale(CodigoDeEnlace.LONGITUD_EXCEDIDA, f"admite como mucho {LONGITUD_DE_ENLACE} caracteres")
    if not puede_ser_enlace(texto):
        raise NoVale(
            CodigoDeEnlace.VALOR_NO_PERMITIDO,
            "solo admite letras sin tilde, cifras, guiones y guiones bajos",
        )
    return texto


def parametro_legible(texto: str) -> str:
    """El nombre con que el destino recibe el clic.

    Raises:
        NoVale: no es un nombre de esa forma, o es de los que pone quien sigue el enlace.
    """
    if not _PARAMETRO.fullmatch(texto):
        raise NoVale(
            CodigoDeEnlace.VALOR_NO_PERMITIDO,
            "debe empezar por una letra minúscula y tener hasta 32 minúsculas, cifras y guiones bajos",
        )
    if DE_LA_VISITA.fullmatch(texto) or texto.startswith("utm_"):
        raise NoVale(
            CodigoDeEnlace.VALOR_NO_PERMITIDO,
            "no puede ser sub1 a sub5 ni empezar por utm_: esos los pone quien sigue el enlace",
        )
    return texto


def dominios_legibles(dominios: Sequence[str]) -> tuple[str, ...]:
    """Los anfitriones a los que se puede ir, cada uno una vez y escrito de una manera.

    Raises:
        NoVale: son demasiados, o alguno no es un anfitrión ni todos los que acaban en uno.
    """
    if len(dominios) > DOMINIOS_MAXIMOS:
        raise NoVale(CodigoDeEnlace.LONGITUD_EXCEDIDA, f"admite como mucho {DOMINIOS_MAXIMOS} dominios")
    return tuple(dict.fromkeys(map(_dominio_legible, dominios)))


def _dominio_legible(texto: str) -> str:
    comodin = COMODIN if texto.startswith(COMODIN) else ""
    try:
        dominio = anfitrion_legible(texto.removeprefix(comodin))
    except ValueError:
        dominio = ""
    # `*.com` sería todo internet, y de una IP no hay nada por debajo.
    if not dominio or (comodin and ("." not in dominio or dominio[-1] in "]0123456789")):
        raise NoVale(
            CodigoDeEnlace.VALOR_NO_PERMITIDO,
            "cada uno debe ser un anfitrión sin esquema ni puerto (tienda.com) o todos los que acaban en uno "
            "(*.tienda.com)",
        )
    return comodin + dominio
