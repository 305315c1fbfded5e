"""La API: la lista de las rutas de todos.

Por qué existe: lo que el servicio atiende se lee en un solo lugar, y con ello se compone su documentación.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from alpespartners.api.captura.cloudevent import LectorDeCloudEvents
from alpespartners.api.captura.cloudevents import CloudEvents
from alpespartners.api.captura.dialectos.posthog import rutas_de_posthog
from alpespartners.api.captura.dialectos.segment import rutas_de_segment
from alpespartners.api.captura.importacion import ruta_de_importaciones
from alpespartners.api.captura.lotes import Lotes
from alpespartners.api.captura.navegador.captura import Captura
from alpespartners.api.captura.navegador.guion import ruta_del_guion
from alpespartners.api.captura.navegador.pixel import Pixel
from alpespartners.api.captura.navegador.puerta import Puerta
from alpespartners.api.captura.postback.puerta import Postback
from alpespartners.api.captura.redireccion import Redireccion
from alpespartners.api.enlaces.clic import ClicsDeConversiones
from alpespartners.api.enlaces.rutas import RutasDeEnlaces
from alpespartners.api.http.acceso import ReglasDeAcceso
from alpespartners.api.http.api import Api, CicloDeVida
from alpespartners.api.http.claves import Llavero
from alpespartners.api.http.cuerpo import SEGUNDOS_MAXIMOS
from alpespartners.api.http.limite_por_direccion import LimitePorDireccion
from alpespartners.api.http.rutas import Ruta, RutaDescrita, Rutas
from alpespartners.api.http.visitante import Visitantes
from alpespartners.api.informes.listas import rutas_de_listas
from alpespartners.api.informes.rutas import rutas_de_informes
from alpespartners.api.operacion.documentacion import rutas_de_documentacion
from alpespartners.api.operacion.metricas import Peticiones, estado_de_la_api, ruta_de_metricas
from alpespartners.api.operacion.otros_nombres import rutas_de_otros_nombres
from alpespartners.api.operacion.portada import ruta_de_portada
from alpespartners.api.operacion.pulso import Pulso
from alpespartners.api.operacion.salud import Salud, quien_averigua, rutas_de_salud
from alpespartners.api.tracking.envios import Envios
from alpespartners.api.tracking.rutas import rutas_de_tracking
from alpespartners.modulos.enlaces.aplicacion.libreta import Libreta
from alpespartners.modulos.enlaces.aplicacion.puertos import Enlaces
from alpespartners.modulos.enlaces.aplicacion.secretos import Secretos
from alpespartners.modulos.informes.aplicacion.puertos import (
    LecturaDeCampañas,
    LecturaDeCuentas,
    LecturaDeResumenes,
)
from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.clics import RecepcionDeClics
from alpespartners.modulos.tracking.aplicacion.en_vivo import difusion
from alpespartners.modulos.tracking.aplicacion.en_vivo.difusion import EnVivo
from alpespartners.modulos.tracking.aplicacion.en_vivo.publicado import TopicosDeEventos
from alpespartners.modulos.tracking.aplicacion.esperas import ESPERAS_MAXIMAS, Esperas
from alpespartners.modulos.tracking.aplicacion.puertos import (
    Administracion,
    ColaDeClics,
    DespachadorComandos,
    Lecturas,
    Presencia,
)
from alpespartners.modulos.tracking.aplicacion.recepcion import Recepcion
from alpespartners.seedwork.procesos.terminacion import avisando_del_final


def crear_api(  # noqa: PLR0913 (por nombre: es la lista de lo que la API necesita)
    *,
    despachador: DespachadorComandos,
    cola_de_clics: ColaDeClics,
    espera_de_clic: float,
    libreta: Libreta,
    visitantes: Visitantes,
    limite_por_direccion: LimitePorDireccion,
    topicos: TopicosDeEventos,
    lecturas: Lecturas,
    cuentas: LecturaDeCampañas,
    cuentas_de_influencers: LecturaDeCuentas,
    resumenes: LecturaDeResumenes,
    presencia: Presencia,
    enlaces: Enlaces,
    secretos: Secretos,
    ventana_de_clic: timedelta,
    reloj: Callable[[], datetime],
    nuevo_id: Callable[[], str],
    acceso: ReglasDeAcceso,
    ciclo_de_vida: CicloDeVida,
    registro: CollectorRegistry,
    tipos_de_comando: Mapping[str, Clase],
    asyncapi: bytes,
    paginas: Callable[[Callable[[], Awaitable[Salud]], Callable[[], Mapping[str, datetime]]], Sequence[Ruta]],
    administracion: Administracion | None = None,
    entre_pulsos: float | None = None,
    segundos_de_cuerpo: float = SEGUNDOS_MAXIMOS,
    esperas_maximas: int = ESPERAS_MAXIMAS,
    ritmo_en_vivo: difusion.Ritmo = difusion.RITMO,
) -> ASGIApp:
    """Devuelve la aplicación ASGI.

    `reloj` da la hora en UTC con zona; `nuevo_id`, un UUIDv7 en texto; `ciclo_de_vida` abre lo que los
    puertos necesitan antes de la primera petición y lo cierra después de la última; `espera_de_clic`, los
    segundos que quien hace clic espera al broker; `libreta` y `secretos`, los enlaces y con qué se firman;
    `visitantes` y `limite_por_direccion`, de quién viene lo que se pide sin clave y cuánto puede;
    `ventana_de_clic`, cuánto puede haber entre un clic y su conversión; `registro`, donde el proceso cuenta
    lo que sale por `/metricas`; `tipos_de_comando`, la clase de cada `ce_type`;
    `asyncapi`, la descripción de los mensajes, que se sirve tal cual; `paginas`, las rutas del panel, si se
    le dice quién sabe cómo está el servicio y hasta cuándo se aceptó; `administracion`, a quién se pregunta
    cómo está puesto el broker; `entre_pulsos`, cada cuántos segundos deja dicho ahí cómo está, si a otros
    procesos les pueden preguntar por él; `esperas_maximas`, cuántos envíos pueden esperar su destino a la
    vez; `ritmo_en_vivo`, cuánto cabe y cuánto se espera al mirar una campaña en vivo. Un `ErrorDeArranque`
    al abrir detiene el servidor con su frase y sin traza.
    """
    esperas = Esperas(lecturas, esperas_maximas)
    en_vivo = EnVivo(topicos, reloj, ritmo_en_vivo)
    pulso = Pulso(registro, despachador, esperas, en_vivo, reloj)
    envios = Envios(
        despachador=despachador,
        esperas=esperas,
        reloj=reloj,
        nuevo_id=nuevo_id,
        segundos_de_cuerpo=segundos_de_cuerpo,
    )
    averiguar = quien_averigua(despachador, lecturas, presencia, administracion)
    metricas = ruta_de_metricas(registro, estado_de_la_api(pulso, lecturas, presencia, cola_de_clics))
    informes = [*rutas_de_listas(resumenes), *rutas_de_informes(cuentas, cuentas_de_influencers, reloj)]
    recepcion = Recepcion(despachador=despachador, reloj=reloj, nuevo_id=nuevo_id)
    lotes = Lotes(recepcion=recepcion, esperas=esperas, segundos_de_cuerpo=segundos_de_cuerpo)
    cloudevents = CloudEvents(lector=LectorDeCloudEvents(tipos_de_comando), envios=envios, lotes=lotes)
    postback = Postback(recepcion, acceso.llavero, segundos_de_cuerpo)
    de_enlaces = RutasDeEnlaces(
        enlaces=enlaces, secretos=secretos, reloj=reloj, segundos_de_cuerpo=segundos_de_cuerpo
    )
    clics = ClicsDeConversiones(lecturas=lecturas, secretos=secretos, ventana=ventana_de_clic)
    captura = [
        lotes.ruta(),
        cloudevents.ruta(),
        *postback.rutas(),
        *de_enlaces.rutas(),
        clics.ruta(),
    ]
    descritas = rutas_descritas(
        envios, lecturas, presencia, en_vivo, captura, informes, metricas, averiguar, clics=cola_de_clics
    )
    # Una para los dos: lo que llega junto se espera con un solo temporizador.
    recepcion_de_clics = RecepcionDeClics(despachador, cola_de_clics, espera_de_clic)
    redireccion = Redireccion(
        libreta=libreta,
        secretos=secretos,
        clics=recepcion_de_clics,
        visitantes=visitantes,
        limite=limite_por_direccion,
        reloj=reloj,
        nuevo_id=nuevo_id,
    )
    puerta = Puerta(llavero=acceso.llavero, visitantes=visitantes, limite=limite_por_direccion)
    sin_describir = [
        *rutas_de_dialectos(recepcion, acceso.llavero, segundos_de_cuerpo),
        *rutas_del_navegador(puerta, recepcion, recepcion_de_clics, segundos_de_cuerpo),
        ruta_de_importaciones(lotes),
    ]
    rutas = Rutas(
        [
            # Primero la que más se pide a la vez: se buscan en orden.
            redireccion.ruta(),
            *todas_las_rutas(descritas, asyncapi, sin_describir, averiguar),
            *paginas(averiguar, pulso.aceptado_hasta),
        ]
    )

    @asynccontextmanager
    async def con_pulso() -> AsyncGenerator[None]:
        # El servidor no termina mientras alguien siga mirando.
        async with ciclo_de_vida(), en_vivo.abierto():
            with avisando_del_final(en_vivo.despedir):
                if entre_pulsos is None:
                    yield
                else:
                    async with pulso.latiendo(entre_pulsos):
                        yield

    return Api(rutas, acceso, con_pulso, Peticiones(registro).observar)


def todas_las_rutas(
    descritas: Sequence[RutaDescrita],
    asyncapi: bytes,
    sin_describir: Sequence[Ruta],
    averiguar: Callable[[], Awaitable[Salud]],
) -> list[Ruta]:
    """Las que la documentación describe, las de otros protocolos y navegadores, y las de quien se orienta."""
    return [
        *descritas,
        *rutas_de_documentacion(descritas, asyncapi),
        *sin_describir,
        ruta_de_portada(averiguar),
        *rutas_de_otros_nombres(),
    ]


def rutas_de_dialectos(recepcion: Recepcion, llavero: Llavero, segundos_de_cuerpo: float) -> list[Ruta]:
    """Las de los protocolos de otros; no se describen: las llama su SDK, y quien lo escribió las explica."""
    return [
        *rutas_de_segment(recepcion, llavero, segundos_de_cuerpo),
        *rutas_de_posthog(recepcion, llavero, segundos_de_cuerpo),
    ]


def rutas_del_navegador(
    puerta: Puerta, recepcion: Recepcion, clics: RecepcionDeClics, segundos_de_cuerpo: float
) -> list[Ruta]:
    """Las que pide una página; no se describen: las llama su guion, y la imagen la escribe una persona."""
    captura = Captura(puerta=puerta, recepcion=recepcion, segundos_de_cuerpo=segundos_de_cuerpo)
    pixel = Pixel(puerta=puerta, recepcion=recepcion, clics=clics)
    return [*captura.rutas(), pixel.ruta(), ruta_del_guion()]


def rutas_descritas(  # noqa: PLR0913 (es la lista de lo que se describe)
    envios: Envios,
    lecturas: Lecturas,
    presencia: Presencia,
    en_vivo: EnVivo,
    captura: Sequence[RutaDescrita],
    informes: Sequence[RutaDescrita],
    metricas: RutaDescrita,
    averiguar: Callable[[], Awaitable[Salud]],
    *,
    clics: ColaDeClics,
) -> list[RutaDescrita]:
    """Las rutas que la documentación describe; las demás son para quien la mira o se orienta."""
    return [
        *rutas_de_tracking(envios, lecturas, presencia, en_vivo, clics),
        *captura,
        *informes,
        *rutas_de_salud(averiguar),
        metricas,
    ]
