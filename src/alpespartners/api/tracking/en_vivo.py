"""`GET /tracking/campañas/{campaña_id}/en-vivo`: los eventos de una campaña según se publican, sin preguntar.

Qué es: la ruta con su descripción, y cómo se dice cada suceso en *server-sent events* (WHATWG HTML §9.2).
Qué no es: quién lee los tópicos, qué se recuerda ni qué se salta (`aplicacion/en_vivo`).
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from functools import partial
from http import HTTPMethod
from typing import Annotated, Final

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.cabeceras import cabeceras_de
from alpespartners.api.http.claves import Alcance, sigue_valiendo
from alpespartners.api.http.descripcion import Contestacion, CuerpoDescrito, Etiqueta, Operacion, Parametro
from alpespartners.api.http.esquemas import IDENTIFICADOR
from alpespartners.api.http.parametros import leer_parametros
from alpespartners.api.http.problemas import (
    NO_ENCONTRADO,
    REINTENTO,
    SEGUNDOS_PARA_REINTENTAR,
    ErrorHTTP,
    contestacion_de_error,
)
from alpespartners.api.http.respuestas import RespuestaContinua, en_json
from alpespartners.api.http.rutas import RutaDescrita
from alpespartners.api.tracking.clases import ClaseHTTP
from alpespartners.api.tracking.ejemplos import CAMPAÑA, CURSOR
from alpespartners.api.tracking.presentacion import Instante
from alpespartners.modulos.tracking.aplicacion.en_vivo.difusion import EnVivo, Espectador, NoCabenMas
from alpespartners.modulos.tracking.aplicacion.en_vivo.posiciones import Marca
from alpespartners.modulos.tracking.aplicacion.en_vivo.publicado import Publicado
from alpespartners.modulos.tracking.aplicacion.en_vivo.sucesos import (
    Conexion,
    Hueco,
    Latido,
    Novedad,
    Suceso,
)
from alpespartners.modulos.tracking.dominio.excepciones import Recolector

TIPO: Final = "text/event-stream"
ULTIMO_ID: Final = "ultimo_id"

_CABECERA: Final = b"last-event-id"
_EN_VIVO: Final = Etiqueta("en vivo", "Los eventos de una campaña en el momento en que se publican.")
# Un intermediario que reúna la respuesta antes de pasarla no dejaría ver nada.
_CABECERAS: Final[Mapping[str, str]] = {"X-Accel-Buffering": "no"}
_PREAMBULO: Final = b"retry: 2000\n\n"


class EventosSaltados(CuerpoDescrito):
    """Lo que dice un `hueco`."""

    saltados: Annotated[
        int | None, Meta(description="Cuántos; `null` si no se sabe, y puede no ser ninguno.")
    ]
    desde: Annotated[Instante | None, Meta(description="Hasta cuándo estaba todo dicho, si se sabe.")]
    hasta: Annotated[Instante, Meta(description="Desde cuándo vuelve a estarlo.")]


class ConexionConElBroker(CuerpoDescrito):
    """Lo que dice un `aviso`."""

    con_broker: bool


def rutas_en_vivo(clases: Sequence[ClaseHTTP], en_vivo: EnVivo) -> list[RutaDescrita]:
    """La del negocio y la misma en ASCII, para quien genera un cliente que no admite una ñ."""
    return [
        _ruta_en_vivo(clases, en_vivo, campaña="campaña", id_de_la_operacion="en_vivo"),
        _ruta_en_vivo(clases, en_vivo, campaña="campana", id_de_la_operacion="en_vivo_de_campana"),
    ]


def _ruta_en_vivo(
    clases: Sequence[ClaseHTTP], en_vivo: EnVivo, *, campaña: str, id_de_la_operacion: str
) -> RutaDescrita:
    decir = _decir_eventos(clases)
    nombres = " o ".join(f"`{suya.clase.nombre}`" for suya in clases)

    async def atender(peticion: Request) -> Response:
        ultimo_id = _ultimo_id(peticion)
        if peticion.method == HTTPMethod.HEAD:
            return Response(headers=_CABECERAS, media_type=TIPO)
        try:
            espectador = en_vivo.entrar(peticion.path_params[f"{campaña}_id"], ultimo_id)
        except NoCabenMas:
            raise _demasiados() from None
        return RespuestaContinua(
            _trozos(espectador, decir, partial(sigue_valiendo, peticion)),
            espectador.salir,
            tipo=TIPO,
            cabeceras={**_CABECERAS},
        )

    operacion = Operacion(
        id=id_de_la_operacion,
        etiqueta=_EN_VIVO,
        resumen="Ver en vivo los eventos de una campaña",
        descripcion=(
            f"*Server-sent events*: un {nombres} por cada evento que se publica, con lo mismo que dan las "
            "listas. Puede llegar alguno repetido: reconózcalo por el `id` de sus datos. "
            "Un `aviso` dice que falta el broker o que ha vuelto; entretanto, lo publicado espera. "
            "Quien vuelve con el último `id` de la conexión (`EventSource` lo hace solo) sigue por lo "
            "siguiente, también en otro proceso. Lo que no se le puede contar se dice con un `hueco`, y "
            "está en las listas: pasa si tarda en volver más de una hora o diez mil eventos de todas las "
            "campañas, o si lee más despacio de lo que llegan. Cada 15 segundos sin nada que decir llega "
            "un comentario, con el `id` al día. De una campaña desconocida no llega nada más."
        ),
        parametros=(
            Parametro(nombre=f"{campaña}_id", lugar="path", esquema=IDENTIFICADOR, ejemplo=CAMPAÑA),
            Parametro(
                nombre=ULTIMO_ID,
                lugar="query",
                esquema={"type": "string", "minLength": 1},
                descripcion="Lo mismo que `Last-Event-ID`, que manda, para quien no puede ponerla.",
            ),
            Parametro(
                nombre="Last-Event-ID",
                lugar="header",
                esquema={"type": "string"},
                descripcion="El `id` de lo último que se recibió; con uno que no vale se recibe un `hueco`.",
            ),
        ),
        contestaciones={
            200: Contestacion(
                descripcion="No acaba: dura lo que la conexión.",
                formas=(str,),
                ejemplos={"un_evento_y_un_hueco": _ejemplo(clases[-1])},
                tipo=TIPO,
            ),
            404: NO_ENCONTRADO,
            503: contestacion_de_error(
                "503_en_vivo", "Ya miran todos los que caben.", _demasiados(), cabeceras=REINTENTO
            ),
        },
    )
    return RutaDescrita(
        plantilla=f"/tracking/{campaña}s/{{{campaña}_id}}/en-vivo",
        metodo="GET",
        atencion=atender,
        alcance=Alcance.LECTURA,
        operacion=operacion,
    )


def _ultimo_id(peticion: Request) -> str | None:
    """El de la cabecera o, si no la trae, el del parámetro.

    Raises:
        DatosInvalidos: hay parámetros que no son.
    """
    recolector = Recolector()
    parametros = leer_parametros(peticion.scope["query_string"], (ULTIMO_ID,), recolector)
    recolector.exigir()
    recibidas = cabeceras_de(peticion).get(_CABECERA, ())
    return next(filter(None, recibidas), None) or parametros.get(ULTIMO_ID)


def _decir_eventos(clases: Sequence[ClaseHTTP]) -> Callable[[Publicado], bytes]:
    """Cómo se dice un evento: como en las listas de su clase."""
    por_clase = {suya.clase: suya for suya in clases}

    def decir(publicado: Publicado) -> bytes:
        clase = por_clase[publicado.clase]
        return _suceso(publicado.clase.nombre, clase.recurso(publicado.evento)) if publicado.evento else b""

    return decir


async def _trozos(
    espectador: Espectador, decir: Callable[[Publicado], bytes], con_clave: Callable[[], bool]
) -> AsyncGenerator[bytes]:
    yield _PREAMBULO
    async for tanda in espectador.tandas():
        if not con_clave():
            # Al volver se le dirá por qué: 401.
            return
        yield b"".join(_dicho(suceso, decir) for suceso in tanda)


def _dicho(suceso: Suceso, decir: Callable[[Publicado], bytes]) -> bytes:
    match suceso:
        case Novedad(guardado, marca):
            return _id(marca) + guardado.dicho(decir)
        case Hueco(saltados, desde, hasta, marca):
            return _id(marca) + _suceso("hueco", EventosSaltados(saltados, desde, hasta))
        case Conexion(con_broker):
            return _suceso("aviso", ConexionConElBroker(con_broker))
        case Latido(marca):
            # Sin datos no es un evento, pero quien lee recuerda el `id`.
            return b":\n" + (b"" if marca is None else _id(marca)) + b"\n"


def _id(marca: Marca) -> bytes:
    return b"id: " + marca.texto.encode("ascii") + b"\n"


def _suceso(nombre: str, datos: object) -> bytes:
    """El nombre y los datos de un evento, que en JSON caben siempre en una línea."""
    return b"event: " + nombre.encode("ascii") + b"\ndata: " + en_json(datos) + b"\n"


def _demasiados() -> ErrorHTTP:
    return ErrorHTTP(
        503,
        "demasiados_espectadores",
        "Demasiados espectadores",
        "Ya miran en vivo todos los que caben; vuelva a intentarlo enseguida.",
        cabeceras={"Retry-After": str(SEGUNDOS_PARA_REINTENTAR)},
    )


def _ejemplo(clase: ClaseHTTP) -> str:
    evento = clase.forma.ejemplos[0]
    hueco = {"saltados": 12, "desde": evento["recibido_en"], "hasta": evento["registrado_en"]}
    identificado = f"id: {CURSOR}\n"
    dichos = (_suceso(clase.clase.nombre, evento), _suceso("hueco", hueco))
    return "".join(identificado + dicho.decode() for dicho in dichos)
