"""Lo que comparten las vistas de un informe en un periodo: qué se pide en su dirección, y adónde llevan.

Qué es: los parámetros del informe de la API y los dos de la vista, el orden y las filas; la puerta por la que
entran las fechas que alguien elige, y los enlaces que piden otra cosa sin cambiar lo demás.
Qué no es: el informe; lo pide cada vista.
Por qué existe: el periodo de una campaña y el de un influencer se eligen y se leen igual.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alpespartners.api.http.claves import Alcance
from alpespartners.api.http.problemas import Falta
from alpespartners.api.http.rutas import Atencion, Ruta
from alpespartners.modulos.informes.aplicacion.informe import FILAS_MAXIMAS, Fila
from alpespartners.modulos.informes.aplicacion.orden import CLICS_SUFICIENTES
from alpespartners.modulos.informes.aplicacion.pedido import ZONA_POR_OMISION, PedidoDeInforme
from alpespartners.modulos.informes.aplicacion.puertos import Resumen
from alpespartners.modulos.informes.dominio.bots import Bots
from alpespartners.modulos.informes.dominio.intervalos import UN_DIA, Granularidad
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido, Recolector
from alpespartners.panel import desglose, periodos
from alpespartners.panel.direcciones import con_parametros, direccion_de_campaña, direccion_de_influencer
from alpespartners.panel.errores import falta_explicada
from alpespartners.panel.formulario_del_periodo import (
    PRIMERO_POSIBLE,
    ULTIMO_DIA,
    ULTIMO_POSIBLE,
    Elegido,
    contexto_del_formulario,
    elegido_en,
)
from alpespartners.panel.idiomas import idioma_de
from alpespartners.panel.nombres_de_redes import NOMBRES_DE_REDES
from alpespartners.panel.paginas import Paginas
from alpespartners.panel.parametros import parametros_de_formulario
from alpespartners.panel.sin_usuarios import mismos_dias_en_utc
from alpespartners.panel.zona_recordada import ZONA, recordar_zona

_DEL_INFORME: Final[tuple[str, ...]] = ("desde", "hasta", "zona", "granularidad", "comparar", "bots")
_ORDEN, _FILAS, _BOTS = "orden", "filas", "bots"
_CONOCIDOS: Final = frozenset({*_DEL_INFORME, _ORDEN, _FILAS})
_TODAS: Final = "todas"
_PRIMERAS: Final = 50


@dataclass(frozen=True, slots=True)
class Pedida:
    """Lo que pide quien mira una de esas vistas.

    Attributes:
        parametros: todos los que trae.
        orden: por qué se ordena la tabla que se desglosa, como está en la dirección.
        maximo: cuántas filas se ven de ella.
    """

    parametros: Mapping[str, str]
    orden: str
    maximo: int

    @property
    def todas(self) -> bool:
        """Si se piden todas las que caben."""
        return _FILAS in self.parametros


def pedida_de(peticion: Request, recolector: Recolector) -> Pedida:
    """La que dice su dirección; lo que no se entiende, al recolector."""
    parametros = parametros_de_formulario(peticion, _CONOCIDOS, recolector)
    orden = parametros.get(_ORDEN, desglose.CONVERSIONES)
    recolector.intentar(desglose.orden_de, orden)
    recolector.intentar(_exigir_todas, parametros.get(_FILAS, _TODAS))
    return Pedida(parametros, orden, FILAS_MAXIMAS if _FILAS in parametros else _PRIMERAS)


def del_informe(parametros: Mapping[str, str]) -> dict[str, str]:
    """Los que son del informe."""
    return {nombre: parametros[nombre] for nombre in _DEL_INFORME if nombre in parametros}


def rutas_con_periodo(
    plantilla: str, vista: Atencion, direccion_de: Callable[[str], str], paginas: Paginas
) -> list[Ruta]:
    """La de esa vista, y la puerta por la que entran las fechas que alguien elige en ella.

    Args:
        plantilla: la de su ruta, que acaba en el identificador de lo que se mira.
        vista: quien la atiende.
        direccion_de: de ese identificador, la dirección de la vista.
        paginas: las que cuentan un error.
    """

    async def periodo(peticion: Request) -> Response:
        recolector = Recolector()
        escritos = parametros_de_formulario(peticion, {*_CONOCIDOS, ULTIMO_DIA} - {"hasta"}, recolector)
        parametros = dict(escritos)
        ultimo_dia = parametros.pop(ULTIMO_DIA, None)
        if ultimo_dia is not None:
            parametros["hasta"] = recolector.intentar(_el_siguiente, ultimo_dia) or ""
            recolector.intentar(_exigir_en_orden, parametros.get("desde", ultimo_dia), ultimo_dia)
        [(campo, sujeto_id)] = peticion.path_params.items()
        if recolector.fallos:
            return paginas.pagina(
                peticion,
                "imposible.html",
                estado=422,
                sujeto_id=sujeto_id,
                campo=campo,
                faltas=[
                    falta_explicada(Falta(fallo.campo, fallo.codigo, fallo.mensaje), idioma_de(peticion))
                    for fallo in recolector.fallos
                ],
                remedios=(),
                puerta=f"{direccion_de(sujeto_id)}/periodo",
                **contexto_del_formulario(escritos, elegido_en(escritos)),
            )
        respuesta = RedirectResponse(con_parametros(direccion_de(sujeto_id), **parametros), 303)
        recordar_zona(respuesta, peticion, parametros)
        return respuesta

    return [
        Ruta(
            plantilla=cada,
            metodo="GET",
            atencion=atencion,
            alcance=Alcance.LECTURA,
            al_fallar=paginas.al_fallar,
        )
        for cada, atencion in ((plantilla, vista), (f"{plantilla}/periodo", periodo))
    ]


def contexto_del_periodo(
    pedido: PedidoDeInforme, parametros: Mapping[str, str], resumen: Resumen, direccion: str
) -> dict[str, Any]:
    """Lo que `informe.html` necesita para decir el periodo, y para pedir otro sin cambiar lo demás."""
    zona = pedido.zona
    elegido = periodos.periodo_de(pedido.periodo, zona)
    este = este_periodo(pedido, parametros)
    con_robots = {nombre: valor for nombre, valor in este.items() if nombre != _BOTS}
    sin_robots = pedido.bots is Bots.EXCLUIR
    a_otra = {ZONA: zona.key} | ({_BOTS: Bots.EXCLUIR.value} if sin_robots else {})
    ir = partial(con_parametros, direccion)

    def a_periodo(otro: periodos.Periodo) -> str:
        return ir(**{**este, **otro.parametros, "granularidad": periodos.granularidad_para(otro)})

    ultimo = resumen.ultimo_evento
    partido = pedido.granularidad is not Granularidad.TOTAL
    en_el_formulario = Elegido(
        elegido.primero.isoformat(),
        elegido.ultimo.isoformat(),
        zona.key,
        pedido.granularidad,
        pedido.comparar or "",
    )
    return contexto_del_formulario(parametros, en_el_formulario) | {
        "un_instante": timedelta.resolution,
        "un_dia": UN_DIA,
        "nada": Decimal(0),
        "periodo": elegido,
        "es_de_dias_enteros": periodos.es_de_dias_enteros,
        "dias_enteros": periodos.es_de_dias_enteros(pedido.periodo, zona),
        "corrientes": [
            (corriente, otro, a_periodo(otro))
            for corriente, otro in periodos.corrientes(pedido.pedido_en, zona).items()
        ],
        "a_campaña": lambda otra: con_parametros(direccion_de_campaña(otra), **a_otra),
        "a_influencer": lambda otro: con_parametros(direccion_de_influencer(otro), **a_otra),
        "sin_robots": sin_robots,
        "con_robots": ir(**con_robots),
        "sin_ellos": ir(**con_robots, bots=Bots.EXCLUIR.value),
        "nombres_propios_de_redes": NOMBRES_DE_REDES,
        "direccion": ir(**este),
        "CLICS_SUFICIENTES": CLICS_SUFICIENTES,
        "con_orden": lambda otro: ir(**{**este, _ORDEN: otro}),
        "con_todas": ir(**{**este, _FILAS: _TODAS}),
        "en_total": ir(**{**este, "granularidad": Granularidad.TOTAL}) if partido else None,
        "en_utc": ir(**{**este, **elegido.parametros, ZONA: ZONA_POR_OMISION}),
        "con_usuarios": ir(**mismos_dias_en_utc(pedido, con_robots)),
        "mas_corto": None if elegido.final == elegido else a_periodo(elegido.final),
        "el_ultimo": None if ultimo is None else a_periodo(periodos.hasta_el(ultimo.astimezone(zona).date())),
    }


def este_periodo(pedido: PedidoDeInforme, parametros: Mapping[str, str]) -> dict[str, str]:
    """Esos parámetros, con el periodo y la zona dichos: sin ellos, mañana o en otra parte serían otros."""
    return {**parametros, ZONA: pedido.zona.key, **periodos.parametros_de(pedido.periodo, pedido.zona)}


def monedas_de(total: Fila) -> list[str]:
    """Las que hay en el periodo y, si se compara, en el otro."""
    return sorted({*total.metricas.valor, *(total.comparado.metricas.valor if total.comparado else ())})


def _exigir_todas(texto: str) -> None:
    if texto != _TODAS:
        raise CampoInvalido(_FILAS, CodigoDePeticion.PARAMETRO_INVALIDO, f"solo puede ser {_TODAS}")


def _el_siguiente(ultimo_dia: str) -> str:
    try:
        dia = date.fromisoformat(ultimo_dia)
    except ValueError:
        raise CampoInvalido(
            ULTIMO_DIA, CodigoDePeticion.PARAMETRO_INVALIDO, "debe ser una fecha, como 2024-01-31"
        ) from None
    if not PRIMERO_POSIBLE <= dia <= ULTIMO_POSIBLE:
        raise CampoInvalido(
            ULTIMO_DIA,
            CodigoDePeticion.PARAMETRO_INVALIDO,
            f"debe estar entre {PRIMERO_POSIBLE} y {ULTIMO_POSIBLE}",
        )
    return (dia + UN_DIA).isoformat()


def _exigir_en_orden(primer_dia: str, ultimo_dia: str) -> None:
    """Lo dice con los nombres del formulario; de lo que no es una fecha dice lo suyo quien la lea."""
    try:
        al_reves = date.fromisoformat(primer_dia) > date.fromisoformat(ultimo_dia)
    except ValueError:
        return
    if al_reves:
        raise CampoInvalido(
            "desde", CodigoDePeticion.PARAMETRO_INVALIDO, "el primer día es posterior al último"
        )
