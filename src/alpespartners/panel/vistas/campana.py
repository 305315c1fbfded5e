"""`/panel/campañas/{campaña_id}`: una campaña en un periodo, como la cuenta su informe.

Qué es: el informe de la API con los mismos parámetros, y otros tres del mismo periodo: por influencer, por
cupón y por tipo.
Qué no es: una foto de un instante. Cada informe es una lectura, y si llegan eventos entre una y otra, la
última los cuenta.
"""

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alpespartners.api.http.claves import Alcance, puede_leer
from alpespartners.api.http.parametros import leer_parametros
from alpespartners.api.http.rutas import Ruta
from alpespartners.modulos.informes.aplicacion.faltas import InformeImposible
from alpespartners.modulos.informes.aplicacion.informe import Informe, hacer_informe
from alpespartners.modulos.informes.aplicacion.pedido import Incluible, PedidoDeInforme, pedido_de_informe
from alpespartners.modulos.informes.aplicacion.puertos import (
    Dimension,
    LecturaDeResumenes,
    Resumen,
    UsuariosIlegibles,
)
from alpespartners.modulos.informes.aplicacion.zonas import nombres_de_zonas
from alpespartners.modulos.informes.dominio.comparaciones import Comparacion
from alpespartners.modulos.informes.dominio.intervalos import UN_DIA, Granularidad
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido, DatosInvalidos, Recolector
from alpespartners.panel import desglose, periodos
from alpespartners.panel.direcciones import con_parametros, direccion_de_campaña
from alpespartners.panel.embudo import embudo
from alpespartners.panel.fuentes import Fuentes
from alpespartners.panel.paginas import Paginas

_PLANTILLA: Final = "/panel/campañas/{campaña_id}"
_DEL_INFORME: Final = ("desde", "hasta", "zona", "granularidad", "comparar")
_ORDEN, _FILAS = "orden", "filas"
_DE_LA_VISTA: Final = (_ORDEN, _FILAS)
_TODAS: Final = "todas"
_ULTIMO_DIA: Final = "ultimo_dia"
_PRIMERAS: Final = 50
_PARECIDAS: Final = 10
_PARTES_DEL_NOMBRE: Final = (4, 3, 2, 1)
"""Cuartos del nombre por los que se buscan las que empiezan igual."""


def rutas(fuentes: Fuentes, paginas: Paginas) -> list[Ruta]:
    """La vista de una campaña, y la puerta por la que entran las fechas que alguien elige."""

    async def campaña(peticion: Request) -> Response:
        campaña_id = peticion.path_params["campaña_id"]
        recolector = Recolector()
        parametros = leer_parametros(
            peticion.scope["query_string"], {*_DEL_INFORME, *_DE_LA_VISTA}, recolector
        )
        orden = parametros.get(_ORDEN, desglose.CONVERSIONES)
        recolector.intentar(desglose.exigir_orden, orden)
        recolector.intentar(_exigir_todas, parametros.get(_FILAS, _TODAS))
        del_informe: Mapping[str, str] = {
            nombre: valor for nombre, valor in parametros.items() if nombre in _DEL_INFORME
        }
        ahora = fuentes.reloj()
        try:
            # Partir un siglo en meses, o buscar nombres parecidos, son decenas de milisegundos.
            pedido = await asyncio.to_thread(pedido_de_informe, campaña_id, del_informe, ahora)
            recolector.exigir()
            resumen = await _resumen(fuentes.resumenes, campaña_id)
            if resumen is None:
                parecidas = await _parecidas(peticion, fuentes.resumenes, campaña_id)
                return paginas.pagina(
                    peticion, "campana_sin_nada.html", estado=404, campaña_id=campaña_id, parecidas=parecidas
                )
            (informe, sin_usuarios), desgloses = await asyncio.gather(
                _principal(fuentes, pedido, del_informe),
                asyncio.gather(*(_por(fuentes, pedido, del_informe, por) for por in _DESGLOSES)),
            )
        except InformeImposible as imposible:
            for falta in imposible.faltas:
                recolector.anotar(falta.parametro, CodigoDePeticion(falta.codigo), falta.frase)
            raise DatosInvalidos(recolector.fallos) from None
        influencers, cupones, tipos = desgloses
        # Mil filas son decenas de milisegundos; el bucle atiende a los demás.
        return await asyncio.to_thread(
            paginas.pagina,
            peticion,
            "campana.html",
            campaña_id=campaña_id,
            resumen=resumen,
            pedido=pedido,
            informe=informe,
            sin_usuarios=sin_usuarios,
            embudo=embudo(informe.total.metricas),
            influencers=_en_orden(influencers, orden),
            cupones=_en_orden(cupones, orden),
            tipos=tipos,
            orden=orden,
            maximo=None if _FILAS in parametros else _PRIMERAS,
            servicio=f"{peticion.url.scheme}://{peticion.url.netloc}",
            un_instante=timedelta.resolution,
            nada=Decimal(0),
            monedas=_monedas(informe),
            **_del_periodo(pedido, parametros, resumen),
        )

    async def periodo(peticion: Request) -> Response:
        recolector = Recolector()
        # Lo que se deja vacío en un formulario llega vacío, y es no pedirlo.
        llenos = b"&".join(par for par in peticion.scope["query_string"].split(b"&") if par[-1:] != b"=")
        conocidos = {*_DEL_INFORME, *_DE_LA_VISTA, _ULTIMO_DIA} - {"hasta"}
        parametros = leer_parametros(llenos, conocidos, recolector)
        ultimo_dia = parametros.pop(_ULTIMO_DIA, None)
        if ultimo_dia is not None:
            parametros["hasta"] = recolector.intentar(_el_siguiente, ultimo_dia) or ""
        recolector.exigir()
        direccion = direccion_de_campaña(peticion.path_params["campaña_id"])
        return RedirectResponse(con_parametros(direccion, **parametros), 303)

    return [
        Ruta(
            plantilla=plantilla,
            metodo="GET",
            atencion=atencion,
            alcance=Alcance.LECTURA,
            al_fallar=paginas.al_fallar,
        )
        for plantilla, atencion in ((_PLANTILLA, campaña), (f"{_PLANTILLA}/periodo", periodo))
    ]


_DESGLOSES: Final = (Dimension.INFLUENCER, Dimension.CUPON, Dimension.TIPO)


def _monedas(informe: Informe) -> list[str]:
    """Las que hay en el periodo y, si se compara, en el otro."""
    comparado = informe.total.comparado
    return sorted({*informe.total.metricas.valor, *(comparado.metricas.valor if comparado else ())})


async def _principal(
    fuentes: Fuentes, pedido: PedidoDeInforme, del_informe: Mapping[str, str]
) -> tuple[Informe, str | None]:
    """El informe, con sus usuarios si se pueden contar exactos; si no, con la frase que dice por qué no."""
    try:
        con_usuarios = pedido_de_informe(
            pedido.sujeto_id,
            {**del_informe, "incluir": Incluible.USUARIOS_UNICOS},
            pedido.pedido_en,
        )
        return await hacer_informe(fuentes.cuentas, con_usuarios, fuentes.cuentas), None
    except InformeImposible as imposible:
        por_que = imposible.faltas[0].frase
    except UsuariosIlegibles as ilegibles:
        por_que = str(ilegibles)
    return await hacer_informe(fuentes.cuentas, pedido), por_que


async def _por(
    fuentes: Fuentes, pedido: PedidoDeInforme, del_informe: Mapping[str, str], dimension: Dimension
) -> Informe | InformeImposible:
    """El del mismo periodo, por eso; si no se puede, por qué. Solo el de tipos, que son pocos, se compara."""
    suyos = {**del_informe, "granularidad": Granularidad.TOTAL, "por": dimension}
    if dimension is not Dimension.TIPO:
        suyos.pop("comparar", None)
    try:
        return await hacer_informe(
            fuentes.cuentas, pedido_de_informe(pedido.sujeto_id, suyos, pedido.pedido_en)
        )
    except InformeImposible as imposible:
        return imposible


def _en_orden(informe: Informe | InformeImposible, orden: str) -> list[desglose.Puesto] | InformeImposible:
    return informe if isinstance(informe, InformeImposible) else [*desglose.puestos(informe, orden)]


def _del_periodo(pedido: PedidoDeInforme, parametros: Mapping[str, str], resumen: Resumen) -> dict[str, Any]:
    """Lo que la plantilla necesita para decir el periodo, y para pedir otro sin cambiar lo demás."""
    zona = pedido.zona
    elegido = periodos.periodo_de(pedido.periodo, zona)
    este = {**parametros, **periodos.parametros_de(pedido.periodo, zona)}
    sin_vista = {nombre: valor for nombre, valor in este.items() if nombre not in _DE_LA_VISTA}
    ir = partial(con_parametros, direccion_de_campaña(pedido.sujeto_id))

    def a_periodo(otro: periodos.Periodo) -> str:
        return ir(**{**este, **otro.parametros, "granularidad": periodos.granularidad_para(otro)})

    ultimo = resumen.ultimo_evento
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
        "direccion": ir(**este),
        "con_orden": lambda otro: ir(**{**este, _ORDEN: otro}),
        "con_todas": ir(**{**este, _FILAS: _TODAS}),
        "en_utc": ir(**{**este, **elegido.parametros, "zona": "UTC"}),
        "mas_corto": None if elegido.final == elegido else a_periodo(elegido.final),
        "el_ultimo": None if ultimo is None else a_periodo(periodos.hasta_el(ultimo.astimezone(zona).date())),
        "descargas": _descargas(pedido, sin_vista),
    }


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


def _exigir_todas(texto: str) -> None:
    if texto != _TODAS:
        raise CampoInvalido(_FILAS, CodigoDePeticion.PARAMETRO_INVALIDO, f"solo puede ser {_TODAS}")


def _el_siguiente(ultimo_dia: str) -> str:
    try:
        return (date.fromisoformat(ultimo_dia) + UN_DIA).isoformat()
    except (ValueError, OverflowError):
        raise CampoInvalido(
            _ULTIMO_DIA, CodigoDePeticion.PARAMETRO_INVALIDO, "debe ser una fecha, como 2024-01-31"
        ) from None
