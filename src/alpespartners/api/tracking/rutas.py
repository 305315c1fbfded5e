"""Las rutas de `/tracking/…` y sus consultas.

Qué es: leer un evento, recorrer los de una campaña, saber qué fue de un `id` y ver el balance.
Qué no es: los envíos (`envios.py`), ni el orden, el cursor o la historia (`aplicacion/consultas`).
Por qué existe: todo lo que se puede preguntar del módulo está en una tabla y se lee de un vistazo.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar
from urllib.parse import quote, urlencode

from alpespartners.api.http.parametros import leer_parametros, sin_parametros
from alpespartners.api.http.peticion import Peticion
from alpespartners.api.http.problemas import destino_desconocido, no_encontrado
from alpespartners.api.http.respuesta import Respuesta
from alpespartners.api.http.rutas import Atencion, Ruta, ruta_get, ruta_post
from alpespartners.api.operacion.salud import consumidores_vivos
from alpespartners.api.tracking.envios import Envios
from alpespartners.api.tracking.presentacion import balance, en_json, historia, recurso
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.clases import Clase, ClaseDeEvento
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_balance import consultar_balance
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_destino import (
    SinNoticias,
    consultar_destino,
)
from alpespartners.modulos.tracking.aplicacion.consultas.listar_eventos import (
    PARAMETROS_CONVERSIONES,
    PARAMETROS_IMPRESIONES,
    Pagina,
    PeticionLista,
    listar_eventos,
    peticion_de_lista,
)
from alpespartners.modulos.tracking.aplicacion.mapeadores import comando_de_conversion, comando_de_impresion
from alpespartners.modulos.tracking.aplicacion.puertos import Lecturas, Presencia
from alpespartners.modulos.tracking.dominio.entidades import Conversion, Impresion
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido, DatosInvalidos, Recolector
from alpespartners.modulos.tracking.dominio.objetos_valor import identificador

IMPRESIONES = "/tracking/impresiones"
CONVERSIONES = "/tracking/conversiones"

E = TypeVar("E", Impresion, Conversion)


def rutas_de_tracking(envios: Envios, lecturas: Lecturas, presencia: Presencia) -> list[Ruta]:
    """Las rutas de impresiones y conversiones, y su balance."""

    def unidad(clase: ClaseDeEvento[E]) -> Atencion:
        async def atender(peticion: Peticion, variables: Sequence[str]) -> Respuesta:
            sin_parametros(peticion)
            id_evento = _identificador_de_la_ruta(variables[0])
            hallados = await lecturas.leer(lambda consulta: clase.eventos_de(consulta).obtener([id_evento]))
            if id_evento not in hallados:
                raise no_encontrado()
            return _respuesta(recurso(hallados[id_evento]))

        return atender

    def destino(clase: Clase) -> Atencion:
        async def atender(peticion: Peticion, variables: Sequence[str]) -> Respuesta:
            sin_parametros(peticion)
            id_evento = _identificador_de_la_ruta(variables[0])
            hallado = await lecturas.leer(lambda consulta: consultar_destino(consulta, clase, id_evento))
            if isinstance(hallado, SinNoticias):
                raise destino_desconocido(hallado, await consumidores_vivos(presencia))
            return _respuesta(historia(id_evento, hallado))

        return atender

    async def balance_actual(peticion: Peticion, _variables: Sequence[str]) -> Respuesta:
        sin_parametros(peticion)
        return _respuesta(balance(await lecturas.leer(lambda consulta: consultar_balance(consulta.balance))))

    def lista(clase: ClaseDeEvento[E], permitidos: frozenset[str], ruta: str) -> Atencion:
        async def atender(peticion: Peticion, variables: Sequence[str]) -> Respuesta:
            campaña_id = _identificador_de_la_ruta(variables[0])
            parametros, pedido = _peticion_de_lista(peticion, campaña_id, permitidos)
            pagina = await lecturas.leer(lambda consulta: listar_eventos(clase.eventos_de(consulta), pedido))
            return _pagina(pagina, ruta.format(quote(campaña_id, safe="")), parametros)

        return atender

    impresiones = lista(clases.IMPRESIONES, PARAMETROS_IMPRESIONES, "/tracking/campa%C3%B1as/{}/impresiones")
    conversiones = lista(
        clases.CONVERSIONES, PARAMETROS_CONVERSIONES, "/tracking/campa%C3%B1as/{}/conversiones"
    )
    return [
        ruta_post(IMPRESIONES, envios.atencion(IMPRESIONES, clases.IMPRESIONES, comando_de_impresion)),
        ruta_post(CONVERSIONES, envios.atencion(CONVERSIONES, clases.CONVERSIONES, comando_de_conversion)),
        ruta_get(f"{IMPRESIONES}/{{id}}", unidad(clases.IMPRESIONES)),
        ruta_get(f"{CONVERSIONES}/{{id}}", unidad(clases.CONVERSIONES)),
        ruta_get(f"{IMPRESIONES}/{{id}}/destino", destino(clases.IMPRESIONES)),
        ruta_get(f"{CONVERSIONES}/{{id}}/destino", destino(clases.CONVERSIONES)),
        ruta_get("/tracking/balance", balance_actual),
        ruta_get("/tracking/campañas/{campaña_id}/impresiones", impresiones),
        ruta_get("/tracking/campanas/{campaña_id}/impresiones", impresiones),
        ruta_get("/tracking/campañas/{campaña_id}/conversiones", conversiones),
        ruta_get("/tracking/campanas/{campaña_id}/conversiones", conversiones),
    ]


def _identificador_de_la_ruta(parte: str) -> str:
    try:
        return identificador("id", parte)
    except CampoInvalido:
        # Un identificador que no puede existir no es una falta de forma: en esa dirección no hay nada.
        raise no_encontrado() from None


def _peticion_de_lista(
    peticion: Peticion, campaña_id: str, permitidos: frozenset[str]
) -> tuple[dict[str, str], PeticionLista]:
    recolector = Recolector()
    parametros = leer_parametros(peticion.scope["query_string"], permitidos, recolector)
    try:
        pedido = peticion_de_lista(campaña_id, parametros, permitidos)
    except DatosInvalidos as invalidos:
        raise DatosInvalidos([*recolector.fallos, *invalidos.fallos]) from None
    recolector.exigir()
    return parametros, pedido


def _pagina(pagina: Pagina[E], direccion: str, parametros: Mapping[str, str]) -> Respuesta:
    cuerpo = {"elementos": [recurso(entidad) for entidad in pagina.elementos], "siguiente": pagina.siguiente}
    respuesta = Respuesta(en_json(cuerpo))
    if pagina.siguiente is not None:
        consulta = urlencode({**parametros, "cursor": pagina.siguiente})
        respuesta.poner("Link", f'<{direccion}?{consulta}>; rel="next"')
    return respuesta


def _respuesta(cuerpo: dict[str, object]) -> Respuesta:
    return Respuesta(en_json(cuerpo))
