"""`/panel/campañas/{campaña_id}`: una campaña en un periodo, como la cuenta su informe.

Qué es: el informe de la API con los mismos parámetros, y del mismo periodo otro por tipo, y los influencers y
los cupones mayores.
Qué no es: una foto de un instante. Cada informe es una lectura, y si llegan eventos entre una y otra, la
última los cuenta.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.claves import puede_leer
from alpespartners.api.http.direccion_del_servicio import direccion_del_servicio
from alpespartners.api.http.rutas import Ruta
from alpespartners.modulos.informes.aplicacion.desglose import desglosar
from alpespartners.modulos.informes.aplicacion.faltas import InformeImposible
from alpespartners.modulos.informes.aplicacion.informe import Informe, hacer_informe
from alpespartners.modulos.informes.aplicacion.pedido import (
    DE_CAMPAÑA,
    Incluible,
    PedidoDeInforme,
    pedido_de_informe,
)
from alpespartners.modulos.informes.aplicacion.puertos import (
    Dimension,
    LecturaDeResumenes,
    Resumen,
    UsuariosIlegibles,
)
from alpespartners.modulos.informes.dominio.intervalos import Granularidad
from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.panel import desglose, periodos
from alpespartners.panel.direcciones import con_parametros, direccion_de_campaña
from alpespartners.panel.embudo import embudo
from alpespartners.panel.fuentes import Fuentes
from alpespartners.panel.imposibles import pagina_imposible
from alpespartners.panel.paginas import Paginas
from alpespartners.panel.pedidas import (
    Pedida,
    contexto_del_periodo,
    del_informe,
    este_periodo,
    monedas_de,
    pedida_de,
    rutas_con_periodo,
)
from alpespartners.panel.sin_usuarios import SinUsuarios
from alpespartners.panel.zona_recordada import a_la_zona_recordada

_PLANTILLA: Final = "/panel/campañas/{campaña_id}"
_PARECIDAS: Final = 10
_PARTES_DEL_NOMBRE: Final = (4, 3, 2, 1)
"""Cuartos del nombre por los que se buscan las que empiezan igual."""


def rutas(fuentes: Fuentes, paginas: Paginas) -> list[Ruta]:
    """La vista de una campaña, y la puerta por la que entran las fechas que alguien elige."""

    async def campaña(peticion: Request) -> Response:
        campaña_id = peticion.path_params["campaña_id"]
        recolector = Recolector()
        pedida = pedida_de(peticion, recolector)
        recolector.exigir()
        otra = a_la_zona_recordada(peticion, direccion_de_campaña(campaña_id), pedida.parametros)
        if otra is not None:
            return otra
        suyos = del_informe(pedida.parametros)
        ahora = fuentes.reloj()
        try:
            # Partir un siglo en meses, o buscar nombres parecidos, son decenas de milisegundos.
            pedido = await asyncio.to_thread(pedido_de_informe, campaña_id, suyos, ahora)
            resumen = await _resumen(fuentes.resumenes, campaña_id)
            if resumen is None:
                parecidas = await _parecidas(peticion, fuentes.resumenes, campaña_id)
                return paginas.pagina(
                    peticion, "campana_sin_nada.html", estado=404, campaña_id=campaña_id, parecidas=parecidas
                )
            (informe, sin_usuarios), influencers, cupones, tipos = await asyncio.gather(
                _principal(fuentes, pedido, suyos),
                _mayores(fuentes, pedido, suyos, Dimension.INFLUENCER, pedida),
                _mayores(fuentes, pedido, suyos, Dimension.CUPON, pedida),
                _por_tipo(fuentes, pedido, suyos),
            )
        except InformeImposible as imposible:
            return await pagina_imposible(
                peticion,
                paginas,
                sujeto=DE_CAMPAÑA,
                direccion_de=direccion_de_campaña,
                parametros=pedida.parametros,
                imposible=imposible,
                ahora=ahora,
            )
        # Mil filas son decenas de milisegundos; el bucle atiende a los demás.
        return await asyncio.to_thread(
            paginas.pagina,
            peticion,
            "campana.html",
            campaña_id=campaña_id,
            resumen=resumen,
            pedido=pedido,
            informe=informe,
            total=informe.total,
            monedas=monedas_de(informe.total),
            sin_usuarios=sin_usuarios,
            embudo=embudo(informe.total.metricas),
            influencers=influencers,
            cupones=cupones,
            tipos=tipos,
            orden=pedida.orden,
            todas_pedidas=pedida.todas,
            servicio=direccion_del_servicio(peticion),
            descargas=_descargas(pedido, del_informe(este_periodo(pedido, pedida.parametros))),
            **contexto_del_periodo(pedido, pedida.parametros, resumen, direccion_de_campaña(campaña_id)),
        )

    return rutas_con_periodo(_PLANTILLA, campaña, direccion_de_campaña, paginas)


async def _principal(
    fuentes: Fuentes, pedido: PedidoDeInforme, parametros: Mapping[str, str]
) -> tuple[Informe, SinUsuarios | None]:
    """El informe, con sus usuarios si se pueden contar exactos; si no, por qué no."""
    try:
        con_usuarios = pedido_de_informe(
            pedido.sujeto_id,
            {**parametros, "incluir": Incluible.USUARIOS_UNICOS},
            pedido.pedido_en,
        )
    except InformeImposible:
        return await hacer_informe(fuentes.cuentas, pedido), SinUsuarios()
    try:
        return await hacer_informe(fuentes.cuentas, con_usuarios, fuentes.cuentas), None
    except UsuariosIlegibles as ilegibles:
        return await hacer_informe(fuentes.cuentas, pedido), SinUsuarios(ilegibles.dia)


async def _mayores(
    fuentes: Fuentes, pedido: PedidoDeInforme, parametros: Mapping[str, str], por: Dimension, pedida: Pedida
) -> desglose.Puestos | InformeImposible:
    """Los primeros del mismo periodo, sin partirlo ni compararlo; si no se puede, por qué."""
    suyos = {nombre: valor for nombre, valor in parametros.items() if nombre != "comparar"}
    orden = desglose.orden_de(pedida.orden)
    try:
        en_total = _en_total(pedido, suyos, por)
        hallado = await desglosar(fuentes.cuentas, en_total, por, orden, pedida.maximo)
    except InformeImposible as imposible:
        return imposible
    return desglose.del_desglose(hallado, orden)


async def _por_tipo(
    fuentes: Fuentes, pedido: PedidoDeInforme, parametros: Mapping[str, str]
) -> Informe | InformeImposible:
    """El del mismo periodo, por tipo; si no se puede, por qué. Son pocos, y se comparan."""
    try:
        return await hacer_informe(fuentes.cuentas, _en_total(pedido, parametros, Dimension.TIPO))
    except InformeImposible as imposible:
        return imposible


def _en_total(pedido: PedidoDeInforme, parametros: Mapping[str, str], por: Dimension) -> PedidoDeInforme:
    suyos = {**parametros, "granularidad": Granularidad.TOTAL, "por": por}
    return pedido_de_informe(pedido.sujeto_id, suyos, pedido.pedido_en)


def _descargas(pedido: PedidoDeInforme, de_este_informe: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Qué se puede descargar, en qué formato y dónde: lo mismo que se ve, de la API."""
    base = direccion_de_campaña(pedido.sujeto_id).replace("/panel/", "/tracking/", 1)
    instantes = periodos.instantes_de(pedido.periodo)
    return [
        (que, formato, con_parametros(f"{base}/{que}", **pedidos, formato=formato))
        for que, pedidos in (
            ("informe", de_este_informe),
            ("impresiones", instantes),
            ("conversiones", instantes),
        )
        for formato in ("csv", "ndjson")
    ]


async def _resumen(resumenes: LecturaDeResumenes, campaña_id: str) -> Resumen | None:
    """El de esa campaña, si hay algo de ella: es la primera de las que empiezan así."""
    primeras = await resumenes.campañas(campaña_id, None, 1)
    return next((uno for uno in primeras.elementos if uno.identidad == campaña_id), None)


async def _parecidas(peticion: Request, resumenes: LecturaDeResumenes, campaña_id: str) -> list[str]:
    """Las primeras, de las que se pueden leer, que empiezan como ella, o como su principio si no hay."""
    for cuartos in _PARTES_DEL_NOMBRE:
        principio = campaña_id[: -(-len(campaña_id) * cuartos // 4)]
        halladas = await resumenes.campañas(principio, None, _PARECIDAS)
        legibles = [una.identidad for una in halladas.elementos if puede_leer(peticion, una.identidad)]
        if legibles:
            return legibles
    return []
