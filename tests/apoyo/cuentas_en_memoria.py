"""Las cuentas, contadas cada vez sobre los eventos: lo que cualquier adaptador tiene que decir."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from fractions import Fraction
from typing import Any

from alpespartners.modulos.informes.aplicacion.orden import CLICS_SUFICIENTES, Criterio, Orden
from alpespartners.modulos.informes.aplicacion.puertos import (
    DE_LOS_DIAS,
    DE_PROCEDENCIA,
    Contada,
    Dimension,
    Mayores,
    Pagina,
    Resumen,
)
from alpespartners.modulos.informes.aplicacion.ritmo import Ritmo
from alpespartners.modulos.informes.dominio.bots import Bots
from alpespartners.modulos.informes.dominio.cuenta import Cuenta, en_diezmilesimas
from alpespartners.modulos.informes.dominio.intervalos import UN_DIA, Intervalo
from alpespartners.modulos.informes.dominio.metricas import Clave, metricas
from alpespartners.modulos.informes.dominio.usuarios import Usuarios
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from tests.apoyo.cuentas import boceto_de


def contar(
    eventos: Iterable[EventoSeguido[Any]],
    sujeto_id: str,
    intervalos: Sequence[Intervalo],
    por: Collection[Dimension],
    de: str = "campaña_id",
) -> list[Contada]:
    """Lo mismo que las cuentas, evento a evento; `de` es `campaña_id` o `influencer_id`."""
    juntas: defaultdict[tuple[int, str, str, str, str, str, str, tuple[str, ...]], Cuenta] = defaultdict(
        Cuenta
    )
    con_detalle = (DE_LOS_DIAS | {Dimension.CAMPAÑA}) & set(por)
    for evento in eventos:
        campos = evento.contenido.campos()
        if campos[de] != sujeto_id:
            continue
        influencer, cupon, campaña = (
            (campos.get(dimension) or "") if dimension in con_detalle else ""
            for dimension in (Dimension.INFLUENCER, Dimension.CUPON, Dimension.CAMPAÑA)
        )
        procedencias = tuple(
            (getattr(evento.lectura, dimension, None) or "") if dimension in por else ""
            for dimension in DE_PROCEDENCIA
        )
        tipo = campos.get("tipo_evento") or campos["tipo_conversion"]
        for lugar, intervalo in enumerate(intervalos):
            if intervalo.desde <= evento.ocurrido_en < intervalo.hasta:
                importe = campos.get("valor")
                moneda = "" if importe is None else campos["moneda"]
                suya = Cuenta(1, 0 if importe is None else en_diezmilesimas(importe))
                clave = (lugar, influencer, cupon, tipo, clase_de(evento), moneda, campaña, procedencias)
                juntas[clave] += suya
    return [
        Contada(lugar, influencer, cupon, tipo, clase, moneda, cuenta, campaña, *procedencias)
        for (lugar, influencer, cupon, tipo, clase, moneda, campaña, procedencias), cuenta in juntas.items()
    ]


def clase_de(evento: EventoSeguido[Any]) -> str:
    """Con cuál se cuenta."""
    return (evento.lectura and evento.lectura.clase_de_trafico) or ""


def mayores(
    contadas: Iterable[Contada],
    de_todos: list[Contada],
    por: Dimension,
    orden: Orden,
    bots: Bots,
    maximo: int,
) -> Mayores:
    """Los primeros grupos de lo contado por eso, ordenados uno a uno."""
    grupos: defaultdict[str, list[Contada]] = defaultdict(list)
    for contada in contadas:
        grupos[str(contada[Contada._fields.index(por.value)])].append(contada)

    def lugar(grupo: str) -> tuple[int, Fraction, int, str]:
        suyas = metricas({(una.tipo, una.clase, una.moneda): una.cuenta for una in grupos[grupo]}, bots)
        ventas = suyas.ventas_por_clic
        detras = 0
        if orden.criterio is Criterio.VENTAS_POR_CLIC:
            detras = 2 if ventas.denominador == 0 else int(ventas.denominador < CLICS_SUFICIENTES)
        medida = {
            Criterio.CLICS: Fraction(suyas.clics),
            Criterio.CONVERSIONES: Fraction(sum(suyas.conversiones.values())),
            Criterio.VENTAS_POR_CLIC: Fraction(ventas.numerador) / (ventas.denominador or 1),
            Criterio.VALOR: Fraction(suyas.valor.get(orden.moneda, 0)),
        }[orden.criterio]
        return detras, Fraction(0) if detras == 2 else -medida, -suyas.clics, grupo

    primeros = sorted(grupos, key=lugar)[:maximo]
    return Mayores([una for grupo in primeros for una in grupos[grupo]], len(grupos), de_todos)


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


def resumir(
    eventos: Iterable[EventoSeguido[Any]], de: str, prefijo: str, despues_de: str | None, limite: int
) -> Pagina:
    """Lo mismo que los resúmenes, evento a evento; `de` es `campaña_id` o `influencer_id`."""
    suyos: defaultdict[str, list[EventoSeguido[Any]]] = defaultdict(list)
    for evento in eventos:
        identidad = evento.contenido.campos()[de]
        if identidad is not None and identidad.startswith(prefijo) and identidad > (despues_de or ""):
            suyos[identidad].append(evento)
    primeras = sorted(suyos)[:limite]
    siguiente = primeras[-1] if len(suyos) > limite else None
    return Pagina([_resumen(identidad, suyos[identidad]) for identidad in primeras], siguiente)


def ritmos(
    eventos: Iterable[EventoSeguido[Any]], campañas: Collection[str], periodo: Intervalo
) -> dict[str, Ritmo]:
    """Lo mismo que los ritmos, evento a evento."""
    dias = (periodo.hasta - periodo.desde) // UN_DIA
    cuantos = {campaña: [0] * dias for campaña in campañas}
    for evento in eventos:
        suyos = cuantos.get(evento.contenido.campaña_id)
        if suyos is not None and periodo.desde <= evento.ocurrido_en < periodo.hasta:
            suyos[(evento.ocurrido_en - periodo.desde) // UN_DIA] += 1
    return {campaña: Ritmo(suyos) for campaña, suyos in cuantos.items()}


def _resumen(identidad: str, eventos: Sequence[EventoSeguido[Any]]) -> Resumen:
    juntas: defaultdict[Clave, Cuenta] = defaultdict(Cuenta)
    for evento in eventos:
        campos = evento.contenido.campos()
        importe = campos.get("valor")
        clave = (
            campos.get("tipo_evento") or campos["tipo_conversion"],
            clase_de(evento),
            "" if importe is None else campos["moneda"],
        )
        juntas[clave] += Cuenta(1, 0 if importe is None else en_diezmilesimas(importe))
    campañas = {evento.contenido.campaña_id for evento in eventos}
    return Resumen(identidad, len(campañas), metricas(juntas), max(evento.ocurrido_en for evento in eventos))
