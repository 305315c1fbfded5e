"""`/panel/rechazos`: lo que se aceptó y no se registró, por motivo, con lo que se envió y su enmienda."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alpespartners.api.http.claves import Alcance, exigir_campaña, permiso_de
from alpespartners.api.http.rutas import Ruta
from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.codigos import MOTIVOS, MOTIVOS_DE_IGNORAR, CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.conflictos import lo_visible
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_balance import (
    BalanceDeTopico,
    consultar_balance,
)
from alpespartners.modulos.tracking.aplicacion.consultas.explicar_evento import ya_registrados
from alpespartners.modulos.tracking.aplicacion.consultas.listar_destinos import (
    PARAMETROS,
    PaginaDestinos,
    PeticionDestinos,
    listar_destinos,
    peticion_de_destinos,
)
from alpespartners.modulos.tracking.aplicacion.puertos import Consulta
from alpespartners.modulos.tracking.dominio.destinos import Duplicada, Ignorada, Ilegible, Rechazada
from alpespartners.modulos.tracking.dominio.excepciones import DatosInvalidos, Recolector
from alpespartners.panel.direcciones import RECHAZOS, direccion_de_rechazos
from alpespartners.panel.enmiendas import Envio, enmienda_de
from alpespartners.panel.fuentes import Fuentes
from alpespartners.panel.paginas import Paginas
from alpespartners.panel.parametros import en_utc, parametros_de_formulario
from alpespartners.panel.remedios import REMEDIOS

_POR_PAGINA: Final = 25
"""De cada uno se enseña todo lo que se envió."""
_ESTADOS: Final = (Rechazada.estado, Ignorada.estado, Ilegible.estado, Duplicada.estado)
"""Los de lo que no se registró."""
_PLAZOS: Final = (1, 24, 7 * 24)
"""Horas: desde cuándo mirar, sin escribir un instante."""
_HASTA_LOS_MILISEGUNDOS: Final = len("2026-01-15T00:00:00.000")
_CAMPAÑA: Final = "campaña_id"
_FECHAS: Final = ("desde", "hasta")
_QUE_NO_SE_CUENTAN: Final = (_CAMPAÑA, *_FECHAS)
_FILTROS: Final = sorted(PARAMETROS - {"cursor"})


@dataclass(frozen=True, slots=True)
class Contado:
    """Cuántos hay en un estado, y cuántos por cada motivo que puede tener."""

    estado: str
    cuantos: int
    por_motivo: Sequence[tuple[str, int]]


def rutas(fuentes: Fuentes, paginas: Paginas) -> list[Ruta]:
    """La lista de lo que no se registró."""

    async def rechazos(peticion: Request) -> Response:
        escritos, filtros, pedido = _leidos(peticion)
        if any(filtros[nombre] != escritos.get(nombre) for nombre in _FECHAS):
            # La dirección de la vista dice los instantes como la API, y no como el campo de un formulario.
            return RedirectResponse(direccion_de_rechazos(**filtros), 303)
        campañas = permiso_de(peticion).campañas
        ahora = fuentes.reloj().replace(microsecond=0)
        comunes: dict[str, Any] = {
            "filtros": filtros,
            "desde": _para_un_campo(pedido.desde),
            "hasta": _para_un_campo(pedido.hasta),
            "al_reves": pedido.desde and pedido.hasta and pedido.desde >= pedido.hasta,
            "clases": CLASES,
            "plazos": [(horas, ahora - timedelta(hours=horas)) for horas in _PLAZOS],
            "remedios": REMEDIOS,
            "motivos": MOTIVOS | MOTIVOS_DE_IGNORAR,
        }
        if campañas is not None and filtros[_CAMPAÑA] is None:
            return paginas.pagina(peticion, "rechazos.html", elegir=sorted(campañas), **comunes)
        exigir_campaña(peticion, filtros[_CAMPAÑA])

        def leer(consulta: Consulta) -> tuple[PaginaDestinos, list[bool], list[Contado]]:
            # Lo contado es de todas las campañas y desde el principio: a quien solo ve las suyas no se le
            # dice, ni sobre una lista que es de menos.
            es_de_todo = campañas is None and not any(filtros[uno] for uno in _QUE_NO_SE_CUENTAN)
            cuentas = consultar_balance(consulta.balance).comandos if es_de_todo else ()
            pagina = listar_destinos(consulta, pedido)
            registrados = ya_registrados(consulta, pagina.elementos, campañas)
            return pagina, registrados, _contados(cuentas, filtros["clase"])

        pagina, registrados, contados = await fuentes.lecturas.leer(leer)
        envio = Envio.a(peticion, fuentes)
        filas = []
        for listado, registrado in zip(pagina.elementos, registrados, strict=True):
            visto = replace(listado, destino=lo_visible(listado.destino, campañas))
            enmienda = enmienda_de(visto.clase, visto.destino, visto.enviado, visto.recibido_en, envio)
            filas.append((visto, None if registrado else enmienda, registrado))
        return paginas.pagina(
            peticion, "rechazos.html", filas=filas, siguiente=pagina.siguiente, contados=contados, **comunes
        )

    return [
        Ruta(
            plantilla=RECHAZOS,
            metodo="GET",
            atencion=rechazos,
            alcance=Alcance.LECTURA,
            juzga_campañas=True,
            al_fallar=paginas.al_fallar,
        )
    ]


def _leidos(peticion: Request) -> tuple[dict[str, str], dict[str, str | None], PeticionDestinos]:
    """Lo escrito, los filtros de la lista y lo que con ellos se pide; sin estado ni motivo, lo rechazado.

    Raises:
        DatosInvalidos: con todas las faltas.
    """
    recolector = Recolector()
    escritos = parametros_de_formulario(peticion, PARAMETROS, recolector)
    parametros = escritos | {nombre: en_utc(escritos[nombre]) for nombre in _FECHAS if nombre in escritos}
    estado = parametros.get("estado")
    if estado is None and "motivo" not in parametros:
        parametros["estado"] = Rechazada.estado
    elif estado is not None and estado.upper() not in _ESTADOS:
        falta = f"debe ser uno de: {', '.join(_ESTADOS)}"
        recolector.anotar("estado", CodigoDePeticion.PARAMETRO_INVALIDO, falta)
        del parametros["estado"]
    try:
        pedido = peticion_de_destinos({"limite": str(_POR_PAGINA), **parametros})
    except DatosInvalidos as invalidos:
        raise DatosInvalidos([*recolector.fallos, *invalidos.fallos]) from None
    recolector.exigir()
    return escritos, {nombre: parametros.get(nombre) for nombre in _FILTROS}, pedido


def _para_un_campo(instante: datetime | None) -> str:
    """El valor de un `<input type="datetime-local">`, que admite milisegundos y no lleva zona."""
    return "" if instante is None else instante.replace(tzinfo=None).isoformat()[:_HASTA_LOS_MILISEGUNDOS]


def _contados(cuentas: Iterable[BalanceDeTopico], clase: str | None) -> list[Contado]:
    """Lo que no se registró en cada estado, de esa clase o de todas."""
    topicos = {una.topico for una in CLASES if clase is None or clase.casefold() in (una.nombre, una.plural)}
    suyas = [cuenta for cuenta in cuentas if cuenta.topico in topicos]
    if not suyas:
        return []
    rechazadas, ignoradas = Counter[str](), Counter[str]()
    for cuenta in suyas:
        rechazadas.update(cuenta.rechazadas)
        ignoradas.update(cuenta.ignoradas)
    return [
        Contado(Rechazada.estado, rechazadas.total(), rechazadas.most_common()),
        Contado(Ignorada.estado, ignoradas.total(), ignoradas.most_common()),
        Contado(Ilegible.estado, sum(cuenta.ilegibles for cuenta in suyas), ()),
        Contado(Duplicada.estado, sum(cuenta.duplicadas for cuenta in suyas), ()),
    ]
