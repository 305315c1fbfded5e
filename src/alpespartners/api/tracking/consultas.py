"""`GET /tracking/…`: leer un evento, recorrer los de una campaña o un influencer, los destinos y el balance.

Qué es: cada consulta con su ruta y su descripción.
Qué no es: el orden, el cursor o la historia (`aplicacion/consultas`).
"""

from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.claves import Alcance, permiso_de, puede_leer
from alpespartners.api.http.descargas import NO_SE_PUEDE_DESCARGAR, en_otros_formatos
from alpespartners.api.http.descripcion import Contestacion, Esquema, Etiqueta, Operacion, Parametro
from alpespartners.api.http.esquemas import IDENTIFICADOR, INSTANTE
from alpespartners.api.http.formatos import FORMATO
from alpespartners.api.http.paginas import ENLACE, Listado, parametro_cursor, parametro_limite
from alpespartners.api.http.parametros import sin_parametros
from alpespartners.api.http.problemas import NO_ENCONTRADO, SIN_BASE_DE_DATOS, no_encontrado
from alpespartners.api.http.respuestas import RespuestaJSON
from alpespartners.api.http.rutas import RutaDescrita
from alpespartners.api.tracking.clases import ClaseHTTP
from alpespartners.api.tracking.presentacion import (
    Balance,
    DestinoListado,
    Historia,
    PaginaDestinos,
    balance,
    historia,
    pagina_de_destinos,
)
from alpespartners.api.tracking.problemas import (
    SIN_DESTINO,
    SIN_EVENTO,
    destino_desconocido,
    evento_no_encontrado,
)
from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.aplicacion.codigos import MOTIVOS, MOTIVOS_DE_IGNORAR
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_balance import consultar_balance
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_destino import (
    SinNoticias,
    consultar_destino,
)
from alpespartners.modulos.tracking.aplicacion.consultas.contar_consumidores import consumidores_vivos
from alpespartners.modulos.tracking.aplicacion.consultas.listar_destinos import (
    ESTADOS,
    PARAMETROS,
    listar_destinos,
    peticion_de_destinos,
)
from alpespartners.modulos.tracking.aplicacion.consultas.listar_eventos import (
    DE_CAMPAÑA,
    DE_INFLUENCER,
    parametros_de_lista,
    peticion_de_lista,
)
from alpespartners.modulos.tracking.aplicacion.mapeadores import ALIAS
from alpespartners.modulos.tracking.aplicacion.puertos import ColaDeClics, Lecturas, Presencia
from alpespartners.modulos.tracking.dominio.objetos_valor import id_consultable

_BALANCE: Final = Etiqueta("balance", "Si las cuentas cuadran, y qué falta por publicar.")
_FILTROS: Final = (
    parametro_limite("Cuántos eventos como mucho."),
    parametro_cursor("solo vale para la misma lista y los mismos filtros."),
    Parametro(
        nombre="desde",
        lugar="query",
        esquema=INSTANTE,
        descripcion="`ocurrido_en` desde este instante, incluido.",
    ),
    Parametro(
        nombre="hasta",
        lugar="query",
        esquema=INSTANTE,
        descripcion="`ocurrido_en` hasta este instante, sin incluirlo.",
    ),
    Parametro(
        nombre="influencer_id",
        lugar="query",
        esquema=IDENTIFICADOR,
        descripcion="Solo los de este influencer.",
    ),
    Parametro(
        nombre="campaña_id",
        lugar="query",
        esquema=IDENTIFICADOR,
        descripcion="Solo los de esta campaña; también se escribe `campana_id`.",
    ),
)

_DESTINOS: Final = Etiqueta("destinos", "Qué fue de cada envío, también de los que no se registraron.")


def _filtro(nombre: str, esquema: Esquema, descripcion: str) -> Parametro:
    return Parametro(nombre=nombre, lugar="query", esquema=esquema, descripcion=descripcion)


_FILTROS_DE_DESTINOS: Final = (
    parametro_limite("Cuántos destinos como mucho."),
    parametro_cursor("solo vale con los mismos filtros."),
    _filtro("estado", {"enum": [*ESTADOS]}, "Solo los que acabaron así; también en minúsculas."),
    _filtro(
        "motivo",
        {"enum": [*MOTIVOS, *MOTIVOS_DE_IGNORAR]},
        "Solo lo rechazado, o lo ignorado, por este motivo.",
    ),
    _filtro("clase", {"enum": [clase.nombre for clase in CLASES]}, "Solo los de esta clase de evento."),
    _filtro(
        "campaña_id", IDENTIFICADOR, "Solo los de esta campaña, sin los ilegibles; también `campana_id`."
    ),
    _filtro("desde", INSTANTE, "`decidido_en` desde este instante, incluido."),
    _filtro("hasta", INSTANTE, "`decidido_en` hasta este instante, sin incluirlo."),
)


def ruta_de_evento(clase: ClaseHTTP, lecturas: Lecturas) -> RutaDescrita:
    """La que lee un evento por su `id`."""

    async def atender(peticion: Request) -> Response:
        sin_parametros(peticion)
        id_evento = peticion.path_params["id"]
        if id_consultable(id_evento) is None:
            # Ni su destino tendría dirección.
            raise no_encontrado()
        hallados = await lecturas.leer(lambda consulta: consulta.eventos(clase.clase).obtener([id_evento]))
        if id_evento not in hallados or not puede_leer(peticion, hallados[id_evento].contenido.campaña_id):
            raise evento_no_encontrado(f"{clase.ruta}/{quote(id_evento, safe='')}/destino")
        return RespuestaJSON(clase.recurso(hallados[id_evento]))

    operacion = Operacion(
        id=f"obtener_{clase.clase.nombre}",
        etiqueta=clase.etiqueta,
        resumen=f"Obtener {clase.una}",
        descripcion=(
            "El `id` va codificado: `FV/2024/001` se pide como `FV%2F2024%2F001`. Un evento recién aceptado "
            "tarda un instante en registrarse; hasta entonces, un 404 que dice dónde preguntar qué fue de él."
        ),
        parametros=(_de_la_ruta("id", clase, "id"),),
        contestaciones={
            200: Contestacion(descripcion="Lo que se registró.", formas=(clase.forma,)),
            404: SIN_EVENTO,
            503: SIN_BASE_DE_DATOS,
        },
    )
    return RutaDescrita(
        plantilla=f"{clase.ruta}/{{id}}",
        metodo="GET",
        atencion=atender,
        alcance=Alcance.LECTURA,
        juzga_campañas=True,
        operacion=operacion,
    )


def ruta_de_destino(clase: ClaseHTTP, lecturas: Lecturas, presencia: Presencia) -> RutaDescrita:
    """La que cuenta qué fue de un `id`."""

    async def atender(peticion: Request) -> Response:
        sin_parametros(peticion)
        id_evento = peticion.path_params["id"]
        campañas = permiso_de(peticion).campañas
        hallado = await lecturas.leer(
            lambda consulta: consultar_destino(consulta, clase.clase, id_evento, campañas)
        )
        if isinstance(hallado, SinNoticias):
            raise destino_desconocido(hallado, await consumidores_vivos(presencia))
        return RespuestaJSON(historia(id_evento, hallado))

    operacion = Operacion(
        id=f"destino_de_{clase.clase.nombre}",
        etiqueta=clase.etiqueta,
        resumen=f"Saber qué fue de {clase.una}",
        descripcion=(
            "Todo lo que pasó con ese `id`, de lo más antiguo a lo más nuevo: cada comando que lo nombró y "
            "en qué acabó. El 404 dice cuántos consumidores viven y hasta cuándo se ha procesado, para "
            "distinguir «todavía no» de «nunca llegó»."
        ),
        parametros=(_de_la_ruta("id", clase, "id"),),
        contestaciones={
            200: Contestacion(descripcion="Lo que pasó.", formas=(Historia,)),
            404: SIN_DESTINO,
            503: SIN_BASE_DE_DATOS,
        },
    )
    return RutaDescrita(
        plantilla=f"{clase.ruta}/{{id}}/destino",
        metodo="GET",
        atencion=atender,
        alcance=Alcance.LECTURA,
        juzga_campañas=True,
        operacion=operacion,
    )


def rutas_de_lista(clase: ClaseHTTP, lecturas: Lecturas) -> list[RutaDescrita]:
    """Las que recorren los eventos de una campaña: la del negocio y la misma en ASCII.

    La segunda es para quien genera un cliente: hay generadores que no admiten una ñ en un parámetro.
    """
    resumen = f"Listar {clase.todas} de una campaña"
    ademas = (
        "Una campaña desconocida da una lista vacía. `/tracking/campañas/…` y `/tracking/campanas/…` son la "
        "misma lista."
    )
    return [
        _ruta_de_lista(clase, lecturas, "campaña", f"listar_{clase.clase.plural}", resumen, ademas),
        _ruta_de_lista(
            clase, lecturas, "campana", f"listar_{clase.clase.plural}_de_campana", resumen, ademas
        ),
    ]


def ruta_de_lista_de_influencer(clase: ClaseHTTP, lecturas: Lecturas) -> RutaDescrita:
    """La que recorre los eventos de un influencer en todas las campañas."""
    return _ruta_de_lista(
        clase,
        lecturas,
        "influencer",
        f"listar_{clase.clase.plural}_de_influencer",
        f"Listar {clase.todas} de un influencer",
        "Son las de todas las campañas. Un influencer desconocido da una lista vacía.",
    )


def _ruta_de_lista(
    clase: ClaseHTTP, lecturas: Lecturas, de_que: str, id_de_la_operacion: str, resumen: str, ademas: str
) -> RutaDescrita:
    """La de los eventos de una `campaña` (o `campana`) o de un `influencer`."""
    en_la_ruta = f"{de_que}_id"
    de = ALIAS.get(en_la_ruta, en_la_ruta)

    async def atender(peticion: Request) -> Response:
        identidad = peticion.path_params[en_la_ruta]
        return await Listado(
            direccion=f"/tracking/{quote(de_que)}s/{quote(identidad, safe='')}/{clase.clase.plural}",
            nombre=(clase.clase.plural, identidad),
            forma=clase.forma,
            admitidos=parametros_de_lista(clase.clase, de),
            leer=lambda leidos: peticion_de_lista(clase.clase, identidad, leidos, de),
            pagina=lambda pedido: lecturas.leer(lambda consulta: clase.lista(consulta, pedido)),
        ).responder(peticion)

    operacion = Operacion(
        id=id_de_la_operacion,
        etiqueta=clase.etiqueta,
        resumen=resumen,
        descripcion=(
            "De la más reciente a la más antigua por `ocurrido_en`. Recorrer la lista mientras llegan "
            "eventos no repite ninguno ni se salta los que ya estaban. En CSV o NDJSON, sin `limite` va "
            f"entera. {ademas}"
        ),
        parametros=(_de_la_ruta(en_la_ruta, clase, de), *filtros_de(clase.clase, de), FORMATO),
        contestaciones={
            200: Contestacion(
                descripcion="Una página.",
                formas=(clase.pagina,),
                otros_formatos=en_otros_formatos(clase.forma, clase.forma.ejemplos),
                cabeceras={"Link": ENLACE},
            ),
            404: NO_ENCONTRADO,
            503: NO_SE_PUEDE_DESCARGAR,
        },
    )
    return RutaDescrita(
        plantilla=f"/tracking/{de_que}s/{{{en_la_ruta}}}/{clase.clase.plural}",
        metodo="GET",
        atencion=atender,
        alcance=Alcance.LECTURA,
        # De un influencer, por `campaña_id`.
        juzga_campañas=de == DE_INFLUENCER,
        operacion=operacion,
    )


def ruta_de_destinos(lecturas: Lecturas) -> RutaDescrita:
    """La que recorre los destinos de todos los envíos."""

    async def atender(peticion: Request) -> Response:
        campañas = permiso_de(peticion).campañas
        listado = Listado(
            direccion="/tracking/destinos",
            nombre=("destinos",),
            forma=DestinoListado,
            admitidos=PARAMETROS,
            leer=peticion_de_destinos,
            pagina=lambda pedido: lecturas.leer(
                lambda consulta: pagina_de_destinos(listar_destinos(consulta, pedido), campañas)
            ),
        )
        return await listado.responder(peticion)

    operacion = Operacion(
        id="listar_destinos",
        etiqueta=_DESTINOS,
        resumen="Listar qué fue de todos los envíos",
        descripcion=(
            "Del último decidido al primero, de las dos clases y de todas las campañas: también lo que se "
            "aceptó y no se registró, con lo que se envió (se guarda `ALPES_DIAS_RECHAZADOS` días, 90 si no "
            "se dice otra cosa; después queda el destino). Los ilegibles no tienen `enviado`: sus octetos "
            "están en las cartas muertas. Recorrer la lista mientras llegan envíos no repite ninguno ni se "
            "salta los que ya estaban. En CSV o NDJSON, sin `limite` va entera."
        ),
        parametros=(*_FILTROS_DE_DESTINOS, FORMATO),
        contestaciones={
            200: Contestacion(
                descripcion="Una página.",
                formas=(PaginaDestinos,),
                otros_formatos=en_otros_formatos(DestinoListado, DestinoListado.ejemplos),
                cabeceras={"Link": ENLACE},
            ),
            503: NO_SE_PUEDE_DESCARGAR,
        },
    )
    return RutaDescrita(
        plantilla="/tracking/destinos",
        metodo="GET",
        atencion=atender,
        alcance=Alcance.LECTURA,
        juzga_campañas=True,
        operacion=operacion,
    )


def ruta_de_balance(lecturas: Lecturas, clics: ColaDeClics) -> RutaDescrita:
    """La que dice en qué acabaron los comandos, y qué clics no lo son todavía."""

    async def atender(peticion: Request) -> Response:
        sin_parametros(peticion)
        actual = await lecturas.leer(lambda consulta: consultar_balance(consulta.balance))
        return RespuestaJSON(balance(actual, await clics.cuenta()))

    operacion = Operacion(
        id="consultar_balance",
        etiqueta=_BALANCE,
        resumen="Ver el balance",
        descripcion=(
            "En qué acabaron los comandos procesados de cada tópico: cada uno está en una y solo una de "
            "estas cuentas. Se lee en un tiempo que no depende de cuántos haya."
        ),
        contestaciones={
            200: Contestacion(descripcion="El balance de este instante.", formas=(Balance,)),
            503: SIN_BASE_DE_DATOS,
        },
    )
    return RutaDescrita(
        plantilla="/tracking/balance",
        metodo="GET",
        atencion=atender,
        alcance=Alcance.OPERACION,
        operacion=operacion,
    )


def _de_la_ruta(nombre: str, clase: ClaseHTTP, campo: str) -> Parametro:
    ejemplo = clase.cuerpo.ejemplo[campo]
    return Parametro(nombre=nombre, lugar="path", esquema=IDENTIFICADOR, ejemplo=ejemplo)


def filtros_de(clase: Clase, de: str = DE_CAMPAÑA) -> list[Parametro]:
    """Los de sus listas; uno que se admite y no se describe es un `KeyError` al arrancar."""
    de_tipo = Parametro(
        nombre=clase.campo_tipo,
        lugar="query",
        esquema={"enum": [*clase.tipos]},
        descripcion="Solo los de este tipo; también en minúsculas.",
    )
    por_nombre = {filtro.nombre: filtro for filtro in (*_FILTROS, de_tipo)}
    return [por_nombre[nombre] for nombre in sorted(parametros_de_lista(clase, de))]
