"""`/panel/influencers/{influencer_id}`: un influencer en todas sus campañas, en un periodo.

Qué es: el informe de la API con los mismos parámetros, el mismo por campaña, y sus últimas conversiones.
Qué no es: una foto de un instante. Cada cosa es una lectura, y si llegan eventos entre una y otra, la última
los cuenta.
"""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alpespartners.api.http.claves import Alcance
from alpespartners.api.http.rutas import Ruta
from alpespartners.modulos.informes.aplicacion.faltas import InformeImposible
from alpespartners.modulos.informes.aplicacion.informe import Fila, Informe, hacer_informe
from alpespartners.modulos.informes.aplicacion.pedido import (
    DE_INFLUENCER,
    PedidoDeInforme,
    pedido_de_informe,
)
from alpespartners.modulos.informes.aplicacion.puertos import Dimension, LecturaDeResumenes, Resumen
from alpespartners.modulos.informes.aplicacion.zonas import nombres_de_zonas
from alpespartners.modulos.informes.dominio.comparaciones import Comparacion
from alpespartners.modulos.informes.dominio.intervalos import UN_DIA, Granularidad
from alpespartners.modulos.tracking.aplicacion.clases import CONVERSIONES
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.consultas import listar_eventos
from alpespartners.modulos.tracking.aplicacion.puertos import Lecturas
from alpespartners.modulos.tracking.dominio.entidades import Conversion
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido, Recolector
from alpespartners.panel import desglose, periodos
from alpespartners.panel.direcciones import con_parametros, direccion_de_influencer
from alpespartners.panel.fuentes import Fuentes
from alpespartners.panel.paginas import Paginas
from alpespartners.panel.parametros import parametros_de

_PLANTILLA: Final = "/panel/influencers/{influencer_id}"
_DEL_INFORME: Final[tuple[str, ...]] = ("desde", "hasta", "zona", "granularidad", "comparar")
_ORDEN, _FILAS = "orden", "filas"
_DE_LA_VISTA: Final = (_ORDEN, _FILAS)
_TODAS: Final = "todas"
_ULTIMO_DIA: Final = "ultimo_dia"
_PRIMERAS: Final = 50
_ULTIMAS: Final = 20


def rutas(fuentes: Fuentes, paginas: Paginas) -> list[Ruta]:
    """La vista de un influencer, y la puerta por la que entran las fechas que alguien elige."""

    async def influencer(peticion: Request) -> Response:
        influencer_id = peticion.path_params["influencer_id"]
        parametros = parametros_de(peticion, {*_DEL_INFORME, *_DE_LA_VISTA})
        orden, maximo = _de_la_vista(parametros)
        del_informe = _del_informe(parametros)
        ahora = fuentes.reloj()
        try:
            # Partir un siglo en meses, o buscar nombres parecidos, son decenas de milisegundos.
            pedido = await asyncio.to_thread(
                pedido_de_informe, influencer_id, del_informe, ahora, DE_INFLUENCER
            )
        except InformeImposible as imposible:
            remedios = await asyncio.to_thread(_remedios, influencer_id, parametros, imposible, ahora)
            return paginas.pagina(peticion, "influencer_imposible.html", estado=422, **remedios)
        resumen = await _resumen(fuentes.resumenes, influencer_id)
        if resumen is None:
            return paginas.pagina(
                peticion, "influencer_sin_nada.html", estado=404, influencer_id=influencer_id
            )
        informe, por_campaña, conversiones = await asyncio.gather(
            _informe(fuentes, pedido),
            _informe(fuentes, _por_campaña(pedido, del_informe)),
            _ultimas_conversiones(fuentes.lecturas, pedido),
        )
        total = next((uno.total for uno in (informe, por_campaña) if isinstance(uno, Informe)), None)
        puestos = desglose.puestos(por_campaña, orden) if isinstance(por_campaña, Informe) else por_campaña
        # Mil filas son decenas de milisegundos; el bucle atiende a los demás.
        return await asyncio.to_thread(
            paginas.pagina,
            peticion,
            "influencer.html",
            influencer_id=influencer_id,
            resumen=resumen,
            pedido=pedido,
            informe=informe,
            total=total,
            monedas=_monedas(total) if total else (),
            campañas=puestos,
            conversiones=conversiones,
            orden=orden,
            maximo=maximo,
            un_instante=timedelta.resolution,
            nada=Decimal(0),
            **_del_periodo(pedido, parametros, resumen),
        )

    async def periodo(peticion: Request) -> Response:
        parametros = parametros_de(peticion, {*_DEL_INFORME, *_DE_LA_VISTA, _ULTIMO_DIA} - {"hasta"})
        if _ULTIMO_DIA in parametros:
            recolector = Recolector()
            parametros["hasta"] = recolector.intentar(_el_siguiente, parametros.pop(_ULTIMO_DIA)) or ""
            recolector.exigir()
        direccion = direccion_de_influencer(peticion.path_params["influencer_id"])
        return RedirectResponse(con_parametros(direccion, **parametros), 303)

    return [
        Ruta(
            plantilla=plantilla,
            metodo="GET",
            atencion=atencion,
            alcance=Alcance.LECTURA,
            al_fallar=paginas.al_fallar,
        )
        for plantilla, atencion in ((_PLANTILLA, influencer), (f"{_PLANTILLA}/periodo", periodo))
    ]


def _de_la_vista(parametros: Mapping[str, str]) -> tuple[str, int | None]:
    """El orden de las campañas, y cuántas se enseñan; `None`, todas.

    Raises:
        DatosInvalidos: con todas las faltas.
    """
    recolector = Recolector()
    orden = parametros.get(_ORDEN, desglose.CONVERSIONES)
    recolector.intentar(desglose.exigir_orden, orden)
    maximo = recolector.intentar(_maximo_de, parametros.get(_FILAS))
    recolector.exigir()
    return orden, maximo


def _del_informe(parametros: Mapping[str, str]) -> dict[str, str]:
    """Los que son del informe."""
    return {nombre: parametros[nombre] for nombre in _DEL_INFORME if nombre in parametros}


def _maximo_de(filas: str | None) -> int | None:
    if filas not in {None, _TODAS}:
        raise CampoInvalido(_FILAS, CodigoDePeticion.PARAMETRO_INVALIDO, f"solo puede ser {_TODAS}")
    return _PRIMERAS if filas is None else None


def _el_siguiente(ultimo_dia: str) -> str:
    try:
        return (date.fromisoformat(ultimo_dia) + UN_DIA).isoformat()
    except (ValueError, OverflowError):
        raise CampoInvalido(
            _ULTIMO_DIA, CodigoDePeticion.PARAMETRO_INVALIDO, "debe ser una fecha, como 2024-01-31"
        ) from None


def _monedas(total: Fila) -> list[str]:
    """Las que hay en el periodo y, si se compara, en el otro."""
    return sorted({*total.metricas.valor, *(total.comparado.metricas.valor if total.comparado else ())})


def _por_campaña(pedido: PedidoDeInforme, del_informe: Mapping[str, str]) -> PedidoDeInforme:
    """El mismo periodo, sin partir ni comparar, por campaña."""
    suyos = {nombre: valor for nombre, valor in del_informe.items() if nombre != "comparar"}
    suyos |= {"granularidad": Granularidad.TOTAL, "por": Dimension.CAMPAÑA}
    return pedido_de_informe(pedido.sujeto_id, suyos, pedido.pedido_en, pedido.sujeto)


async def _informe(fuentes: Fuentes, pedido: PedidoDeInforme) -> Informe | InformeImposible:
    """El informe; si no se puede contestar exacto, por qué."""
    try:
        return await hacer_informe(fuentes.cuentas_de_influencers, pedido)
    except InformeImposible as imposible:
        return imposible


async def _ultimas_conversiones(lecturas: Lecturas, pedido: PedidoDeInforme) -> list[Conversion]:
    """Las últimas del periodo, de la más reciente a la más antigua."""
    parametros = {**periodos.instantes_de(pedido.periodo), "limite": f"{_ULTIMAS}"}
    peticion = listar_eventos.peticion_de_lista(
        CONVERSIONES, pedido.sujeto_id, parametros, listar_eventos.DE_INFLUENCER
    )
    pagina = await lecturas.leer(
        lambda consulta: listar_eventos.listar_eventos(consulta.eventos(CONVERSIONES), peticion)
    )
    return pagina.elementos


async def _resumen(resumenes: LecturaDeResumenes, influencer_id: str) -> Resumen | None:
    """El de ese influencer, si hay algo de él: es el primero de los que empiezan así."""
    primeros = await resumenes.influencers(influencer_id, None, 1)
    return next((uno for uno in primeros.elementos if uno.identidad == influencer_id), None)


def _remedios(
    influencer_id: str, parametros: Mapping[str, str], imposible: InformeImposible, ahora: datetime
) -> dict[str, Any]:
    """Por qué no se entiende lo que se pide, y adónde ir: a lo más parecido que sí se puede contestar."""
    culpables = {falta.parametro for falta in imposible.faltas}
    validos = {nombre: valor for nombre, valor in parametros.items() if nombre not in culpables}
    candidatos: dict[str, Mapping[str, str]] = {"sin_lo_que_lo_impide": validos}
    if culpables == {"granularidad"}:
        candidatos |= {cada: {**validos, "granularidad": cada} for cada in Granularidad}
    candidatos["sin_nada"] = {}
    direccion = direccion_de_influencer(influencer_id)
    return {
        "influencer_id": influencer_id,
        "faltas": imposible.faltas,
        "remedios": [
            (nombre, con_parametros(direccion, **suyos))
            for nombre, suyos in candidatos.items()
            if _se_entiende(influencer_id, suyos, ahora)
        ],
    }


def _se_entiende(influencer_id: str, parametros: Mapping[str, str], ahora: datetime) -> bool:
    try:
        pedido_de_informe(influencer_id, _del_informe(parametros), ahora, DE_INFLUENCER)
    except InformeImposible:
        return False
    return True


def _del_periodo(pedido: PedidoDeInforme, parametros: Mapping[str, str], resumen: Resumen) -> dict[str, Any]:
    """Lo que la plantilla necesita para decir el periodo, y para pedir otro sin cambiar lo demás."""
    zona = pedido.zona
    elegido = periodos.periodo_de(pedido.periodo, zona)
    este = {**parametros, **periodos.parametros_de(pedido.periodo, zona)}
    ir = partial(con_parametros, direccion_de_influencer(pedido.sujeto_id))

    def a_periodo(otro: periodos.Periodo) -> str:
        return ir(**{**este, **otro.parametros, "granularidad": periodos.granularidad_para(otro)})

    ultimo = resumen.ultimo_evento
    partido = pedido.granularidad is not Granularidad.TOTAL
    return {
        "periodo": elegido,
        "dias_enteros": periodos.es_de_dias_enteros(pedido.periodo, zona),
        "parametros": parametros,
        "corrientes": [
            (corriente, otro, a_periodo(otro))
            for corriente, otro in periodos.corrientes(pedido.pedido_en, zona).items()
        ],
        "zonas": sorted(nombres_de_zonas()),
        "granularidades": [*Granularidad],
        "comparaciones": [*Comparacion],
        "con_orden": lambda otro: ir(**{**este, _ORDEN: otro}),
        "con_todas": ir(**{**este, _FILAS: _TODAS}),
        "en_total": ir(**{**este, "granularidad": Granularidad.TOTAL}) if partido else None,
        "en_utc": ir(**{**este, **elegido.parametros, "zona": "UTC"}),
        "mas_corto": None if elegido.final == elegido else a_periodo(elegido.final),
        "el_ultimo": None if ultimo is None else a_periodo(periodos.hasta_el(ultimo.astimezone(zona).date())),
        "descargas": _descargas(pedido, este),
    }


def _descargas(pedido: PedidoDeInforme, este: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Qué se puede descargar, en qué formato y dónde: lo mismo que se ve, de la API."""
    base = direccion_de_influencer(pedido.sujeto_id).replace("/panel/", "/tracking/", 1)
    del_informe = _del_informe(este)
    por_campaña = {nombre: valor for nombre, valor in del_informe.items() if nombre != "comparar"}
    por_campaña |= {"granularidad": Granularidad.TOTAL, "por": "campana_id"}
    return [
        (que, formato, con_parametros(f"{base}/{lugar}", **pedidos, formato=formato))
        for que, lugar, pedidos in (
            ("informe", "informe", del_informe),
            ("por_campaña", "informe", por_campaña),
            ("conversiones", "conversiones", periodos.instantes_de(pedido.periodo)),
        )
        for formato in ("csv", "ndjson")
    ]
