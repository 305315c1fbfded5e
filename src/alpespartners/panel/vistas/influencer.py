"""`/panel/influencers/{influencer_id}`: un influencer en todas sus campañas, en un periodo.

Qué es: el informe de la API con los mismos parámetros, el mismo por campaña, y sus últimas conversiones.
Qué no es: una foto de un instante. Cada cosa es una lectura, y si llegan eventos entre una y otra, la última
los cuenta.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.rutas import Ruta
from alpespartners.modulos.informes.aplicacion.faltas import InformeImposible
from alpespartners.modulos.informes.aplicacion.informe import Informe, hacer_informe
from alpespartners.modulos.informes.aplicacion.pedido import (
    DE_INFLUENCER,
    PedidoDeInforme,
    pedido_de_informe,
)
from alpespartners.modulos.informes.aplicacion.puertos import Dimension, LecturaDeResumenes, Resumen
from alpespartners.modulos.informes.dominio.intervalos import Granularidad
from alpespartners.modulos.tracking.aplicacion.clases import CONVERSIONES
from alpespartners.modulos.tracking.aplicacion.consultas import listar_eventos
from alpespartners.modulos.tracking.aplicacion.puertos import Lecturas
from alpespartners.modulos.tracking.dominio.entidades import Conversion
from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.panel import desglose, periodos
from alpespartners.panel.direcciones import con_parametros, direccion_de_influencer
from alpespartners.panel.fuentes import Fuentes
from alpespartners.panel.imposibles import pagina_imposible
from alpespartners.panel.paginas import Paginas
from alpespartners.panel.pedidas import (
    contexto_del_periodo,
    del_informe,
    este_periodo,
    monedas_de,
    pedida_de,
    rutas_con_periodo,
)
from alpespartners.panel.zona_recordada import a_la_zona_recordada

_PLANTILLA: Final = "/panel/influencers/{influencer_id}"
_ULTIMAS: Final = 20


def rutas(fuentes: Fuentes, paginas: Paginas) -> list[Ruta]:
    """La vista de un influencer, y la puerta por la que entran las fechas que alguien elige."""

    async def influencer(peticion: Request) -> Response:
        influencer_id = peticion.path_params["influencer_id"]
        recolector = Recolector()
        pedida = pedida_de(peticion, recolector)
        recolector.exigir()
        otra = a_la_zona_recordada(peticion, direccion_de_influencer(influencer_id), pedida.parametros)
        if otra is not None:
            return otra
        suyos = del_informe(pedida.parametros)
        ahora = fuentes.reloj()
        try:
            # Partir un siglo en meses son decenas de milisegundos.
            pedido = await asyncio.to_thread(pedido_de_informe, influencer_id, suyos, ahora, DE_INFLUENCER)
        except InformeImposible as imposible:
            return await pagina_imposible(
                peticion,
                paginas,
                sujeto=DE_INFLUENCER,
                direccion_de=direccion_de_influencer,
                parametros=pedida.parametros,
                imposible=imposible,
                ahora=ahora,
            )
        resumen = await _resumen(fuentes.resumenes, influencer_id)
        if resumen is None:
            return paginas.pagina(
                peticion, "influencer_sin_nada.html", estado=404, influencer_id=influencer_id
            )
        informe, por_campaña, conversiones = await asyncio.gather(
            _informe(fuentes, pedido),
            _informe(fuentes, _por_campaña(pedido, suyos)),
            _ultimas_conversiones(fuentes.lecturas, pedido),
        )
        total = next((uno.total for uno in (informe, por_campaña) if isinstance(uno, Informe)), None)
        puestos = (
            desglose.del_informe(por_campaña, desglose.orden_de(pedida.orden), pedida.maximo)
            if isinstance(por_campaña, Informe)
            else por_campaña
        )
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
            monedas=monedas_de(total) if total else (),
            campañas=puestos,
            conversiones=conversiones,
            orden=pedida.orden,
            todas_pedidas=pedida.todas,
            descargas=_descargas(pedido, este_periodo(pedido, pedida.parametros)),
            **contexto_del_periodo(
                pedido, pedida.parametros, resumen, direccion_de_influencer(influencer_id)
            ),
        )

    return rutas_con_periodo(_PLANTILLA, influencer, direccion_de_influencer, paginas)


def _por_campaña(pedido: PedidoDeInforme, parametros: Mapping[str, str]) -> PedidoDeInforme:
    """El mismo periodo, sin partir ni comparar, por campaña."""
    suyos = {nombre: valor for nombre, valor in parametros.items() if nombre != "comparar"}
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


def _descargas(pedido: PedidoDeInforme, este: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Qué se puede descargar, en qué formato y dónde: lo mismo que se ve, de la API."""
    base = direccion_de_influencer(pedido.sujeto_id).replace("/panel/", "/tracking/", 1)
    suyos = del_informe(este)
    por_campaña = {nombre: valor for nombre, valor in suyos.items() if nombre != "comparar"}
    por_campaña |= {"granularidad": Granularidad.TOTAL, "por": "campana_id"}
    return [
        (que, formato, con_parametros(f"{base}/{lugar}", **pedidos, formato=formato))
        for que, lugar, pedidos in (
            ("informe", "informe", suyos),
            ("por_campaña", "informe", por_campaña),
            ("conversiones", "conversiones", periodos.instantes_de(pedido.periodo)),
        )
        for formato in ("csv", "ndjson")
    ]
