"""Los envíos y consultas de `/tracking/…`.

Qué es: los pasos 1 a 4 del flujo vistos desde HTTP (petición → comando → broker) y las lecturas.
Qué no es: reglas de los datos (dominio) ni el orden o el cursor de las listas (`aplicacion/consultas`).
Por qué existe: un 202 es una promesa; sale solo cuando el broker confirmó el comando.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.cuerpo import leer_cuerpo
from alpespartners.api.errores import broker_no_disponible, no_encontrado
from alpespartners.api.parametros import leer_parametros
from alpespartners.api.presentacion import en_json, recurso
from alpespartners.api.rutas import Atencion, Ruta, ruta_get, ruta_post
from alpespartners.api.traza import traza_de
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.consultas.listar_eventos import (
    PARAMETROS_CONVERSIONES,
    PARAMETROS_IMPRESIONES,
    Pagina,
    PeticionLista,
    listar_eventos,
    peticion_de_lista,
)
from alpespartners.modulos.tracking.aplicacion.mapeadores import comando_de_conversion, comando_de_impresion
from alpespartners.modulos.tracking.aplicacion.puertos import (
    BrokerNoDisponible,
    Consulta,
    DespachadorComandos,
    Lecturas,
)
from alpespartners.modulos.tracking.dominio.entidades import Conversion, Impresion
from alpespartners.modulos.tracking.dominio.excepciones import (
    CampoInvalido,
    Codigo,
    DatosInvalidos,
    Recolector,
)
from alpespartners.modulos.tracking.dominio.objetos_valor import identificador
from alpespartners.modulos.tracking.dominio.repositorios import LecturaEventos
from alpespartners.seedwork.json_estricto import leer_json

IMPRESIONES = "/tracking/impresiones"
CONVERSIONES = "/tracking/conversiones"

E = TypeVar("E", Impresion, Conversion)
EventosDe = Callable[[Consulta], LecturaEventos[E]]
"""De una consulta abierta, los eventos de la clase que se pide."""


class ComandoDelCuerpo(Protocol):
    """Cómo se hace un comando con el cuerpo de un envío."""

    def __call__(
        self, cuerpo: Mapping[str, object], *, id_asignado: Callable[[], str], recibido_en: datetime
    ) -> Comando:
        """Devuelve el comando, o lanza `DatosInvalidos` con todas las faltas."""


def rutas_de_tracking(
    despachador: DespachadorComandos,
    lecturas: Lecturas,
    reloj: Callable[[], datetime],
    nuevo_id: Callable[[], str],
    segundos_de_cuerpo: float,
) -> list[Ruta]:
    """Las rutas de impresiones y conversiones."""

    def envio(ruta: str, comando_de: ComandoDelCuerpo) -> Atencion:
        async def atender(peticion: Request, _variables: Sequence[str]) -> Response:
            recolector = Recolector()
            leer_parametros(peticion.scope["query_string"], (), recolector)
            cuerpo = leer_json(await leer_cuerpo(peticion, segundos_de_cuerpo))
            comando = _comando(cuerpo, comando_de, recolector, nuevo_id, reloj())
            comando_id = nuevo_id()
            try:
                await despachador.publicar(comando, comando_id=comando_id, traza=traza_de(peticion.headers))
            except BrokerNoDisponible:
                raise broker_no_disponible(comando.id) from None
            return _aceptado(comando, comando_id, ruta)

        return atender

    def unidad(eventos_de: EventosDe[E]) -> Atencion:
        async def atender(peticion: Request, variables: Sequence[str]) -> Response:
            _sin_parametros(peticion)
            id_evento = _identificador_de_la_ruta(variables[0])
            hallados = await lecturas.leer(lambda consulta: eventos_de(consulta).obtener([id_evento]))
            if id_evento not in hallados:
                raise no_encontrado()
            return Response(en_json(recurso(hallados[id_evento])), media_type="application/json")

        return atender

    def lista(eventos_de: EventosDe[E], permitidos: frozenset[str], ruta: str) -> Atencion:
        async def atender(peticion: Request, variables: Sequence[str]) -> Response:
            campaña_id = _identificador_de_la_ruta(variables[0])
            parametros, pedido = _peticion_de_lista(peticion, campaña_id, permitidos)
            pagina = await lecturas.leer(lambda consulta: listar_eventos(eventos_de(consulta), pedido))
            return _pagina(pagina, ruta.format(quote(campaña_id, safe="")), parametros)

        return atender

    impresiones = lista(_impresiones, PARAMETROS_IMPRESIONES, "/tracking/campa%C3%B1as/{}/impresiones")
    conversiones = lista(_conversiones, PARAMETROS_CONVERSIONES, "/tracking/campa%C3%B1as/{}/conversiones")
    return [
        ruta_post(IMPRESIONES, envio(IMPRESIONES, comando_de_impresion)),
        ruta_post(CONVERSIONES, envio(CONVERSIONES, comando_de_conversion)),
        ruta_get(f"{IMPRESIONES}/{{id}}", unidad(_impresiones)),
        ruta_get(f"{CONVERSIONES}/{{id}}", unidad(_conversiones)),
        ruta_get("/tracking/campañas/{campaña_id}/impresiones", impresiones),
        ruta_get("/tracking/campanas/{campaña_id}/impresiones", impresiones),
        ruta_get("/tracking/campañas/{campaña_id}/conversiones", conversiones),
        ruta_get("/tracking/campanas/{campaña_id}/conversiones", conversiones),
    ]


def _impresiones(consulta: Consulta) -> LecturaEventos[Impresion]:
    return consulta.impresiones


def _conversiones(consulta: Consulta) -> LecturaEventos[Conversion]:
    return consulta.conversiones


def _identificador_de_la_ruta(parte: str) -> str:
    try:
        return identificador("id", parte)
    except CampoInvalido:
        # Un identificador que no puede existir no es una falta de forma: en esa dirección no hay nada.
        raise no_encontrado() from None


def _sin_parametros(peticion: Request) -> None:
    recolector = Recolector()
    leer_parametros(peticion.scope["query_string"], (), recolector)
    recolector.exigir()


def _peticion_de_lista(
    peticion: Request, campaña_id: str, permitidos: frozenset[str]
) -> tuple[dict[str, str], PeticionLista]:
    recolector = Recolector()
    parametros = leer_parametros(peticion.scope["query_string"], permitidos, recolector)
    try:
        pedido = peticion_de_lista(campaña_id, parametros, permitidos)
    except DatosInvalidos as invalidos:
        raise DatosInvalidos([*recolector.fallos, *invalidos.fallos]) from None
    recolector.exigir()
    return parametros, pedido


def _pagina(pagina: Pagina[E], direccion: str, parametros: Mapping[str, str]) -> Response:
    cuerpo = {"elementos": [recurso(entidad) for entidad in pagina.elementos], "siguiente": pagina.siguiente}
    respuesta = Response(en_json(cuerpo), media_type="application/json")
    if pagina.siguiente is not None:
        consulta = urlencode({**parametros, "cursor": pagina.siguiente})
        respuesta.headers["Link"] = f'<{direccion}?{consulta}>; rel="next"'
    return respuesta


def _comando(
    cuerpo: object,
    comando_de: ComandoDelCuerpo,
    recolector: Recolector,
    nuevo_id: Callable[[], str],
    recibido_en: datetime,
) -> Comando:
    if not isinstance(cuerpo, dict):
        recolector.anotar("", Codigo.TIPO_INCORRECTO, "el cuerpo debe ser un objeto JSON")
        raise DatosInvalidos(recolector.fallos)
    try:
        comando = comando_de(cuerpo, id_asignado=nuevo_id, recibido_en=recibido_en)
    except DatosInvalidos as invalidos:
        raise DatosInvalidos([*recolector.fallos, *invalidos.fallos]) from None
    recolector.exigir()
    return comando


def _aceptado(comando: Comando, comando_id: str, ruta: str) -> Response:
    cuerpo = {
        "id": comando.id,
        "estado": "ACEPTADA",
        "comando_id": comando_id,
        "advertencias": comando.advertencias,
    }
    direccion = f"{ruta}/{quote(comando.id or '', safe='')}"
    return Response(en_json(cuerpo), 202, {"Location": direccion}, media_type="application/json")
