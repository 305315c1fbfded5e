"""Las cuentas de los informes: las que hay guardadas, y las que salen de contar las filas una a una."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, select

from alpespartners.modulos.informes.infraestructura.tablas import METADATOS
from alpespartners.modulos.tracking.infraestructura.libro.tablas import conversiones, impresiones

Cuentas = dict[str, dict[tuple[object, ...], tuple[int, int]]]
"""Por tabla y por clave (sin el fragmento): cuántos son, y su suma en diezmilésimas."""

_CLAVES: Final = {
    "cuentas_por_tramo": ("campana_id", "tramo", "tipo", "moneda"),
    "cuentas_por_dia": ("campana_id", "dia", "tipo", "moneda"),
    "cuentas_por_influencer": ("campana_id", "dia", "influencer_id", "cupon", "tipo", "moneda"),
    "cuentas_por_semana": ("campana_id", "semana", "influencer_id", "cupon", "tipo", "moneda"),
}


def contadas_desde_las_filas(conexion: Connection) -> Cuentas:
    """Lo que deben decir las cuatro tablas, contado sin usar nada de lo que las escribe."""
    contadas: Cuentas = {nombre: {} for nombre in _CLAVES}
    for tabla, tipo in ((impresiones, "tipo_evento"), (conversiones, "tipo_conversion")):
        for fila in conexion.execute(select(tabla)).mappings():
            cuando: datetime = fila["ocurrido_en"]
            dia = cuando.replace(hour=0, minute=0, second=0, microsecond=0)
            datos = {
                "campana_id": fila["campana_id"],
                "tramo": cuando.replace(minute=cuando.minute // 15 * 15, second=0, microsecond=0),
                "dia": dia,
                "semana": dia - timedelta(days=dia.weekday()),
                "tipo": fila[tipo],
                **{campo: fila.get(campo) or "" for campo in ("influencer_id", "cupon")},
            }
            importe: Decimal | None = fila.get("valor")
            # Una moneda sin importe no vale nada en ella.
            datos["moneda"] = "" if importe is None else fila["moneda"]
            _sumar(contadas, datos, 1, int((importe or Decimal(0)).scaleb(4)))
    return contadas


def cuentas_guardadas(conexion: Connection) -> Cuentas:
    """Lo que dicen las cuatro tablas, sumados los fragmentos."""
    guardadas: Cuentas = {nombre: {} for nombre in _CLAVES}
    for nombre in _CLAVES:
        for fila in conexion.execute(select(METADATOS.tables[nombre])).mappings():
            diezmilesimas = fila["valor_alto"] * 10**9 + fila["valor_bajo"]
            _sumar({nombre: guardadas[nombre]}, dict(fila), fila["cuantos"], diezmilesimas)
    return guardadas


def _sumar(cuentas: Cuentas, datos: Mapping[str, Any], cuantos: int, diezmilesimas: int) -> None:
    for nombre, suyas in cuentas.items():
        clave = tuple(datos[campo] for campo in _CLAVES[nombre])
        antes = suyas.get(clave, (0, 0))
        suyas[clave] = (antes[0] + cuantos, antes[1] + diezmilesimas)


def contadas_y_guardadas(conexion: Connection) -> tuple[Cuentas, Cuentas]:
    """Las dos, del mismo instante: han de ser iguales."""
    return contadas_desde_las_filas(conexion), cuentas_guardadas(conexion)


TABLAS: Final = tuple(_CLAVES)


def sumadas(tabla: str) -> str:
    """La consulta que da cada clave que cuenta algo, con cuántos y su valor en diezmilésimas."""
    claves = _CLAVES[tabla]
    nombres, orden = ", ".join(claves), ", ".join(str(n) for n in range(1, len(claves) + 1))
    valor = "sum(valor_alto) * 1000000000 + sum(valor_bajo)"
    return (
        f"SELECT {nombres}, sum(cuantos), {valor} FROM {tabla} GROUP BY {orden}"  # noqa: S608 (son suyos)
        f" HAVING sum(cuantos) <> 0 OR {valor} <> 0 ORDER BY {orden}"
    )
