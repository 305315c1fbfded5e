"""Las zonas horarias por su nombre, y las que más se parecen a uno que no es de ninguna.

Son las del paquete `tzdata`, que se instala con el servicio, y no las de la máquina: dos máquinas con zonas
distintas darían informes distintos del mismo libro.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

_EJEMPLO: Final = "debe ser una zona de la IANA, como America/Bogota, o UTC"


class ZonaDesconocida(Exception):
    """No hay ninguna con ese nombre; la frase dice cuáles se le parecen."""


def zona_de(nombre: str) -> ZoneInfo:
    """La de ese nombre.

    Raises:
        ZonaDesconocida: no hay ninguna.
    """
    if nombre not in nombres_de_zonas():
        parecidas = _parecidas(nombre)
        raise ZonaDesconocida(f"{_EJEMPLO}; ¿{' o '.join(parecidas)}?" if parecidas else _EJEMPLO)
    return _zona(nombre)


@cache
def _zona(nombre: str) -> ZoneInfo:
    with files("tzdata").joinpath("zoneinfo", *nombre.split("/")).open("rb") as archivo:
        return ZoneInfo.from_file(archivo, key=nombre)


def _parecidas(nombre: str) -> list[str]:
    por_forma: dict[str, str] = {}
    # Quien escribe «Bogota» también busca America/Bogota; pero «utc» es UTC antes que Etc/UTC.
    for forma_de in (str, lambda zona: zona.rpartition("/")[2]):
        for zona in sorted(nombres_de_zonas()):
            por_forma.setdefault(forma_de(zona).casefold(), zona)
    if exacta := por_forma.get(nombre.casefold()):
        return [exacta]
    halladas = difflib.get_close_matches(nombre.casefold(), por_forma, n=3, cutoff=0.7)
    return [*dict.fromkeys(por_forma[hallada] for hallada in halladas)]


@dataclass(frozen=True, slots=True)
class ZonaElegible:
    """Una de las que se enseñan a quien elige.

    Attributes:
        nombre: el de hoy.
        otros: los que tuvo antes o en otra parte (`Asia/Calcutta`), que valen igual.
    """

    nombre: str
    otros: Sequence[str]


@cache
def zonas_por_continente() -> Mapping[str, Sequence[ZonaElegible]]:
    """Las de `zone.tab`, por lo que va delante de la barra y en orden; delante de todas, con `""`, UTC.

    Un nombre de antes (`US/Eastern`) no está en esa tabla: lo dicen las líneas `L` de `tzdata.zi` (zic(8)).
    """
    tabla = _de_tzdata("zone.tab")
    nombres = sorted(linea.split("\t")[2] for linea in tabla if not linea.startswith("#"))
    otros: dict[str, list[str]] = {nombre: [] for nombre in nombres}
    for linea in _de_tzdata("tzdata.zi"):
        if linea.startswith("L "):
            _, nombre, otro = linea.split()
            if nombre in otros and otro not in otros:
                otros[nombre].append(otro)
    por_continente: dict[str, list[ZonaElegible]] = {"": [ZonaElegible("UTC", ())]}
    for nombre in nombres:
        continente = nombre.partition("/")[0]
        por_continente.setdefault(continente, []).append(ZonaElegible(nombre, otros[nombre]))
    return por_continente


def _de_tzdata(archivo: str) -> list[str]:
    return files("tzdata").joinpath("zoneinfo", archivo).read_text(encoding="utf-8").splitlines()


@cache
def nombres_de_zonas() -> frozenset[str]:
    """Los de todas."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="ascii").split())
