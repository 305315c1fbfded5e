"""Cuántos eventos dicen las cuentas de los informes que hay, en total.

Por qué existe: el balance dice cuántos se registraron; si las cuentas dicen otra cosa, hay que recontar.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, func, select

from alpespartners.modulos.informes.infraestructura.tablas import CUENTAS


def totales(conexion: Connection, tipos: Collection[str]) -> Mapping[str, int]:
    """Cuántos de esos tipos dice cada tabla de cuentas, por su nombre."""
    return {
        tabla.name: int(
            conexion.scalar(select(func.sum(tabla.c.cuantos)).where(tabla.c.tipo.in_(tipos))) or 0
        )
        for tabla in CUENTAS
    }
