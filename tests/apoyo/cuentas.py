"""Las cuentas de los informes: las que hay guardadas, y las que salen de contar las filas una a una.

De los usuarios, lo mismo: los bocetos guardados y los que salen de quiénes están en las filas.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import Connection, select

from alpespartners.modulos.informes.infraestructura.tablas import METADATOS
from alpespartners.modulos.tracking.infraestructura.libro.tablas import conversiones, impresiones

Cuentas = dict[str, dict[tuple[object, ...], tuple[int, int]]]
"""Por tabla y por clave (sin el fragmento): cuántos son, y su suma en diezmilésimas."""

_CLAVES: Final = {
    "cuentas_por_tramo": ("campana_id", "tramo", "tipo", "clase", "moneda"),
    "cuentas_por_dia": ("campana_id", "dia", "tipo", "clase", "moneda"),
    "cuentas_por_influencer": ("campana_id", "dia", "influencer_id", "cupon", "tipo", "clase", "moneda"),
    "cuentas_por_semana": ("campana_id", "semana", "influencer_id", "cupon", "tipo", "clase", "moneda"),
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
                "clase": _clase(fila["lectura"]),
                **{campo: fila.get(campo) or "" for campo in ("influencer_id", "cupon")},
            }
            importe: Decimal | None = fila.get("valor")
            # Una moneda sin importe no vale nada en ella.
            datos["moneda"] = "" if importe is None else fila["moneda"]
            _sumar(contadas, datos, 1, int((importe or Decimal(0)).scaleb(4)))
    return contadas


def _clase(lectura: str | None) -> str:
    """La de un clic; de lo demás, si es de un robot."""
    leido = json.loads(lectura or "{}")
    return str(leido.get("clase") or ("BOT" if leido.get("bot") else ""))


def cuentas_guardadas(conexion: Connection) -> Cuentas:
    """Lo que dicen las cuatro tablas, sumados los fragmentos; lo que suma cero es como si no estuviera."""
    guardadas: Cuentas = {nombre: {} for nombre in _CLAVES}
    for nombre in _CLAVES:
        for fila in conexion.execute(select(METADATOS.tables[nombre])).mappings():
            diezmilesimas = fila["valor_alto"] * 10**9 + fila["valor_bajo"]
            _sumar({nombre: guardadas[nombre]}, dict(fila), fila["cuantos"], diezmilesimas)
    return {
        nombre: {clave: cuenta for clave, cuenta in suyas.items() if cuenta != (0, 0)}
        for nombre, suyas in guardadas.items()
    }


def _sumar(cuentas: Cuentas, datos: Mapping[str, Any], cuantos: int, diezmilesimas: int) -> None:
    for nombre, suyas in cuentas.items():
        clave = tuple(datos[campo] for campo in _CLAVES[nombre])
        antes = suyas.get(clave, (0, 0))
        suyas[clave] = (antes[0] + cuantos, antes[1] + diezmilesimas)


DeProcedencias = dict[tuple[object, ...], tuple[int, int]]
"""Por campaña, día, dimensión, dato, tipo, clase y moneda: cuántos son, y su suma en diezmilésimas."""


def procedencias_desde_las_filas(conexion: Connection) -> DeProcedencias:
    """Lo que debe decir la tabla de las procedencias, sin usar nada de lo que la escribe."""
    contadas: DeProcedencias = {}
    for tabla, tipo in ((impresiones, "tipo_evento"), (conversiones, "tipo_conversion")):
        for fila in conexion.execute(select(tabla)).mappings():
            lectura = json.loads(fila["lectura"] or "{}")
            es_robot = bool(lectura.get("bot"))
            datos = {dimension: lectura.get(dimension) for dimension in ("red", "dispositivo", "pais")}
            datos["robot"] = lectura["señales"][0] if es_robot and lectura.get("señales") else None
            importe: Decimal | None = fila.get("valor")
            detalle = (
                fila[tipo],
                lectura.get("clase") or ("BOT" if es_robot else ""),
                "" if importe is None else fila["moneda"],
            )
            dia = fila["ocurrido_en"].replace(hour=0, minute=0, second=0, microsecond=0)
            for dimension, dato in datos.items():
                if dato:
                    clave = (fila["campana_id"], dia, dimension, dato, *detalle)
                    cuantos, suman = contadas.get(clave, (0, 0))
                    contadas[clave] = (cuantos + 1, suman + int((importe or Decimal(0)).scaleb(4)))
    return contadas


def procedencias_guardadas(conexion: Connection) -> DeProcedencias:
    """Lo que dice esa tabla, juntos los fragmentos y sin las claves que no cuentan nada."""
    guardadas: DeProcedencias = {}
    for *clave, _, cuantos, alto, bajo in conexion.execute(
        select(METADATOS.tables["cuentas_por_procedencia"])
    ):
        antes = guardadas.get((*clave,), (0, 0))
        guardadas[*clave,] = (antes[0] + cuantos, antes[1] + alto * 10**9 + bajo)
    return {clave: suma for clave, suma in guardadas.items() if suma != (0, 0)}


DeUsuarios = dict[tuple[str, datetime], tuple[int, bytes]]
"""Por campaña y día, cuántos eventos traen usuario y el boceto de quiénes son."""


def usuarios_desde_las_filas(conexion: Connection) -> DeUsuarios:
    """Lo que debe decir la tabla de los usuarios, sin usar nada de lo que la escribe."""
    traen: defaultdict[tuple[str, datetime], list[str]] = defaultdict(list)
    for tabla in (impresiones, conversiones):
        for fila in conexion.execute(select(tabla)).mappings():
            dia = fila["ocurrido_en"].replace(hour=0, minute=0, second=0, microsecond=0)
            if fila["usuario_id"] is not None:
                traen[fila["campana_id"], dia].append(fila["usuario_id"])
    return {clave: (len(suyos), boceto_de(suyos)) for clave, suyos in traen.items()}


def usuarios_guardados(conexion: Connection) -> DeUsuarios:
    """Lo que dice esa tabla, juntos los fragmentos."""
    partes: defaultdict[tuple[str, datetime], list[tuple[int, bytes]]] = defaultdict(list)
    for fila in conexion.execute(select(METADATOS.tables["usuarios_por_dia"])).mappings():
        partes[fila["campana_id"], fila["dia"]].append((fila["eventos"], fila["boceto"]))
    juntos = {
        clave: (sum(eventos for eventos, _ in suyas), _union([boceto for _, boceto in suyas]))
        for clave, suyas in partes.items()
    }
    return {clave: suyos for clave, suyos in juntos.items() if suyos != (0, b"")}


def boceto_de(usuarios: Collection[str]) -> bytes:
    """El de esos usuarios, como lo dice la decisión 0038."""
    return _boceto(
        {blake2b(usuario.encode(), digest_size=8, person=b"alpes-unicos").digest() for usuario in usuarios}
    )


def _boceto(resumenes: Collection[bytes]) -> bytes:
    return b"".join(sorted(resumenes)) if len(resumenes) <= 384 else _registros(resumenes)


def _registros(resumenes: Collection[bytes]) -> bytes:
    registros = [0] * 4096
    for resumen in resumenes:
        bits = f"{int.from_bytes(resumen, 'big'):064b}"
        lugar, resto = int(bits[:12], 2), bits[12:]
        registros[lugar] = max(registros[lugar], len(resto) - len(resto.lstrip("0")) + 1)
    return bytes(registros)


def _union(bocetos: Collection[bytes]) -> bytes:
    sueltos = {
        boceto[lugar : lugar + 8]
        for boceto in bocetos
        if len(boceto) < 4096
        for lugar in range(0, len(boceto), 8)
    }
    densos = [boceto for boceto in bocetos if len(boceto) == 4096]
    if not densos:
        return _boceto(sueltos)
    return bytes(max(iguales) for iguales in zip(*densos, _registros(sueltos), strict=True))


def contadas_y_guardadas(conexion: Connection) -> tuple[Cuentas, Cuentas]:
    """Las dos, del mismo instante: han de ser iguales; usuarios y procedencias ya se comprueban aquí."""
    assert usuarios_guardados(conexion) == usuarios_desde_las_filas(conexion)
    assert procedencias_guardadas(conexion) == procedencias_desde_las_filas(conexion)
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
