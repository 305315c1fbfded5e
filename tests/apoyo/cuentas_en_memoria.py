"""Las cuentas, contadas cada vez sobre los eventos: lo que cualquier adaptador tiene que decir."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from alpespartners.modulos.informes.aplicacion.puertos import DE_LOS_DIAS, Contada, Dimension
from alpespartners.modulos.informes.dominio.cuenta import Cuenta, en_diezmilesimas
from alpespartners.modulos.informes.dominio.intervalos import Intervalo
from alpespartners.modulos.informes.dominio.usuarios import Usuarios
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from tests.apoyo.cuentas import boceto_de


def contar(
    eventos: Iterable[EventoSeguido[Any]],
    campaña_id: str,
    intervalos: Sequence[Intervalo],
    por: Collection[Dimension],
) -> list[Contada]:
    """Lo mismo que las cuentas, evento a evento."""
    juntas: defaultdict[tuple[int, str, str, str, str], Cuenta] = defaultdict(Cuenta)
    con_detalle = DE_LOS_DIAS & set(por)
    for evento in eventos:
        campos = evento.contenido.campos()
        if campos["campaña_id"] != campaña_id:
            continue
        detalle = [
            (campos.get(dimension) or "") if dimension in con_detalle else ""
            for dimension in (Dimension.INFLUENCER, Dimension.CUPON)
        ]
        tipo = campos.get("tipo_evento") or campos["tipo_conversion"]
        for lugar, intervalo in enumerate(intervalos):
            if intervalo.desde <= evento.ocurrido_en < intervalo.hasta:
                importe = campos.get("valor")
                moneda = "" if importe is None else campos["moneda"]
                suya = Cuenta(1, 0 if importe is None else en_diezmilesimas(importe))
                juntas[lugar, detalle[0], detalle[1], tipo, moneda] += suya
    return [Contada(*clave, cuenta) for clave, cuenta in juntas.items()]


def contar_usuarios(
    eventos: Iterable[EventoSeguido[Any]], campaña_id: str, intervalos: Sequence[Intervalo]
) -> list[Usuarios]:
    """Los de cada intervalo, evento a evento."""
    traen: list[list[str]] = [[] for _ in intervalos]
    for evento in eventos:
        contenido = evento.contenido
        for intervalo, suyos in zip(intervalos, traen, strict=True):
            dentro = intervalo.desde <= evento.ocurrido_en < intervalo.hasta
            if dentro and contenido.campaña_id == campaña_id and contenido.usuario_id is not None:
                suyos.append(contenido.usuario_id)
    return [Usuarios(len(suyos), boceto_de(suyos)) for suyos in traen]
