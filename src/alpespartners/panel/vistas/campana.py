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
    DE_PROCEDENCIA,
    Dimension,
    UsuariosIlegibles,
)
from alpespartners.modulos.informes.dominio.intervalos import Granularidad
from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.panel import desglose, periodos
from alpespartners.panel.campanas_a_la_vista import parecidas_a, resumen_de
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
_DE_CADA_PROCEDENCIA: Final = 10


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
            resumen = await resumen_de(fuentes.resumenes, campaña_id)
            if resumen is None:
                parecidas = await parecidas_a(peticion, fuentes.resumenes, campaña_id)
                return paginas.pagina(
                    peticion, "campana_sin_nada.html", estado=404, campaña_id=campaña_id, parecidas=parecidas
                )
            (informe, sin_usuarios), influencers, cupones, tipos, procedencias = await asyncio.gather(
                _principal(fuentes, pedido, suyos),
                _mayores(fuentes, pedido, suyos, Dimension.INFLUENCER, pedida),
                _mayores(fuentes, pedido, suyos, Dimension.CUPON, pedida),
                _por_tipo(fuentes, pedido, suyos),
                _procedencias(fuentes, pedido, suyos, pedida.orden),
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
            procedencias=procedencias,
            descargas_de_procedencias=_descargas_de_procedencias(
                pedido, del_informe(este_periodo(pedido, pedida.parametros))
            ),
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
    try:
        return await _primeros(fuentes, pedido, parametros, por, pedida.orden, pedida.maximo)
    except InformeImposible as imposible:
        return imposible


async def _procedencias(
    fuentes: Fuentes, pedido: PedidoDeInforme, parametros: Mapping[str, str], orden: str
) -> Mapping[str, desglose.Puestos] | InformeImposible:
    """Los primeros de cada procedencia; si no se puede, por qué.

    Los robots están siempre en la suya, y por sus clics: comprar, casi ninguno compra.
    """
    con_robots = {nombre: valor for nombre, valor in parametros.items() if nombre != "bots"}
    try:
        hallados = await asyncio.gather(
            *(
                _primeros(
                    fuentes,
                    pedido,
                    con_robots if por is Dimension.ROBOT else parametros,
                    por,
                    desglose.CLICS if por is Dimension.ROBOT else orden,
                    _DE_CADA_PROCEDENCIA,
                )
                for por in DE_PROCEDENCIA
            )
        )
    except InformeImposible as imposible:
        return imposible
    puestos = {por.value: suyos for por, suyos in zip(DE_PROCEDENCIA, hallados, strict=True)}
    puestos[Dimension.ROBOT.value] = puestos[Dimension.ROBOT.value].con_nombre
    return puestos


async def _primeros(
    fuentes: Fuentes,
    pedido: PedidoDeInforme,
    parametros: Mapping[str, str],
    por: Dimension,
    orden: str,
    maximo: int,
) -> desglose.Puestos:
    suyos = {nombre: valor for nombre, valor in parametros.items() if nombre != "comparar"}
    criterio = desglose.orden_de(orden)
    en_total = _en_total(pedido, suyos, por)
    hallado = await desglosar(fuentes.cuentas, en_total, por, criterio, maximo)
    return desglose.del_desglose(hallado, criterio)


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


def _descargas_de_procedencias(
    pedido: PedidoDeInforme, de_este_informe: Mapping[str, str]
) -> Mapping[str, str]:
    """Dónde se descarga cada lista entera, de la API; la de robots, con ellos."""
    informe = f"{direccion_de_campaña(pedido.sujeto_id).replace('/panel/', '/tracking/', 1)}/informe"
    suyos = {nombre: valor for nombre, valor in de_este_informe.items() if nombre != "comparar"}
    suyos |= {"granularidad": Granularidad.TOTAL, "formato": "csv"}
    con_robots = {nombre: valor for nombre, valor in suyos.items() if nombre != "bots"}
    return {
        por.value: con_parametros(informe, **(con_robots if por is Dimension.ROBOT else suyos), por=por.value)
        for por in DE_PROCEDENCIA
    }
