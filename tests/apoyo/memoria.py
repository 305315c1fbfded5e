"""Los puertos que la API necesita, en memoria: lo publicado tiene destino al instante, si hay consumidores.

Existen para probar el borde HTTP sin broker, sin consumidor y sin base de datos.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import httpx2
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from alpespartners.api.aplicacion import (
    crear_api,
    rutas_de_dialectos,
    rutas_del_navegador,
    rutas_descritas,
    todas_las_rutas,
)
from alpespartners.api.captura.cloudevent import LectorDeCloudEvents
from alpespartners.api.captura.cloudevents import CloudEvents
from alpespartners.api.captura.importacion import ruta_de_importaciones
from alpespartners.api.captura.lotes import Lotes
from alpespartners.api.captura.navegador.puerta import Puerta
from alpespartners.api.captura.postback.puerta import Postback
from alpespartners.api.captura.redireccion import Redireccion
from alpespartners.api.enlaces.clic import ClicsDeConversiones
from alpespartners.api.enlaces.rutas import RutasDeEnlaces
from alpespartners.api.http.acceso import ReglasDeAcceso
from alpespartners.api.http.claves import Llavero
from alpespartners.api.http.cuerpo import SEGUNDOS_MAXIMOS
from alpespartners.api.http.limite_por_direccion import LimitePorDireccion
from alpespartners.api.http.llavero import LlaveroDelServicio
from alpespartners.api.http.rutas import Ruta, RutaDescrita
from alpespartners.api.http.visitante import Privacidad, Visitantes
from alpespartners.api.informes.listas import rutas_de_listas
from alpespartners.api.informes.rutas import rutas_de_informes
from alpespartners.api.operacion import openapi
from alpespartners.api.operacion.metricas import estado_de_la_api, ruta_de_metricas
from alpespartners.api.operacion.pulso import Pulso
from alpespartners.api.operacion.salud import Salud, quien_averigua
from alpespartners.api.tracking.envios import Envios
from alpespartners.composicion.mensajes import TIPOS_DE_COMANDO, descripcion_de_los_mensajes
from alpespartners.modulos.claves.aplicacion.llavero import LlaveroGuardado
from alpespartners.modulos.enlaces.aplicacion.libreta import Libreta, LibretaNoDisponible
from alpespartners.modulos.enlaces.aplicacion.secretos import Secretos
from alpespartners.modulos.enlaces.dominio.enlace import Enlace
from alpespartners.modulos.informes.aplicacion.orden import Orden
from alpespartners.modulos.informes.aplicacion.puertos import (
    Contada,
    DemasiadasCuentas,
    Dimension,
    Mayores,
    Pagina,
)
from alpespartners.modulos.informes.aplicacion.ritmo import Ritmo
from alpespartners.modulos.informes.dominio.bots import Bots
from alpespartners.modulos.informes.dominio.intervalos import Intervalo
from alpespartners.modulos.informes.dominio.usuarios import Usuarios
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.aceptados import UltimosAceptados
from alpespartners.modulos.tracking.aplicacion.clics import RecepcionDeClics
from alpespartners.modulos.tracking.aplicacion.comandos import (
    Comando,
    RegistrarConversion,
    RegistrarImpresion,
)
from alpespartners.modulos.tracking.aplicacion.en_vivo import difusion
from alpespartners.modulos.tracking.aplicacion.en_vivo.difusion import EnVivo
from alpespartners.modulos.tracking.aplicacion.en_vivo.publicado import TopicosDeEventos
from alpespartners.modulos.tracking.aplicacion.esperas import ESPERAS_MAXIMAS, Esperas
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import ComandoRecibido, IdentidadComando
from alpespartners.modulos.tracking.aplicacion.puertos import (
    Administracion,
    BaseDatosNoDisponible,
    BrokerNoDisponible,
    Consulta,
    Lector,
)
from alpespartners.modulos.tracking.aplicacion.recepcion import Recepcion
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.panel.fuentes import Fuentes
from alpespartners.panel.instalacion import Disco, Instalacion
from alpespartners.panel.rutas import rutas_del_panel
from tests.apoyo.clics import ColaEnMemoria
from tests.apoyo.cuentas_en_memoria import contar, contar_usuarios, mayores, resumir, ritmos
from tests.apoyo.enlaces import EnlacesEnMemoria
from tests.apoyo.libro_en_memoria import TransaccionEnMemoria
from tests.apoyo.topicos_en_vivo import TopicosQueNoHay

_ASYNCAPI = descripcion_de_los_mensajes()
C = TypeVar("C", RegistrarImpresion, RegistrarConversion)
T = TypeVar("T")
_SIN_MAXIMO = 10**9

VISITANTES = Visitantes((), Privacidad.ENTERA)
SIN_LIMITE = LimitePorDireccion(None)
AHORA = datetime(2024, 1, 15, 10, 36, 0, 120_000, tzinfo=UTC)


async def _sin_guardado() -> None:
    return None


VENTANA = timedelta(days=30)
SECRETOS = Secretos(["el secreto de las pruebas"], _sin_guardado)


def instalacion_embebida() -> Instalacion:
    """La de quien arranca el producto sin más."""
    return Instalacion(
        broker_embebido=True,
        base_embebida=True,
        broker_revisado=False,
        procesos=1,
        disco=lambda: Disco(12_345_678_901, 50_000_000_000, 134_217_728),
    )


@dataclass
class PuertosEnMemoria:
    """El despachador, las lecturas, las cuentas y la presencia de una misma API de prueba.

    Sus consumidores, si están `detenidos`, viven y no hacen nada.
    """

    disponible: bool = True
    hay_base_de_datos: bool = True
    cuantos_consumidores: int = 1
    detenidos: bool = False
    se_sabe_quien_consume: bool = True
    registrado: TransaccionEnMemoria = field(default_factory=TransaccionEnMemoria)
    aceptados: UltimosAceptados = field(default_factory=UltimosAceptados)
    publicados: list[tuple[Comando, str, str | None]] = field(default_factory=list)
    sin_consumir: list[tuple[Comando, str]] = field(default_factory=list)
    consultas: int = 0
    instalacion: Instalacion = field(default_factory=instalacion_embebida)
    clics: ColaEnMemoria = field(default_factory=ColaEnMemoria)
    enlaces: EnlacesEnMemoria = field(default_factory=EnlacesEnMemoria)
    lector: Lector | None = None

    async def publicar(self, comando: Comando, *, comando_id: str, traza: str | None) -> None:
        if not self.disponible:
            raise BrokerNoDisponible
        self._publicar(comando, comando_id, traza)

    def _publicar(self, comando: Comando, comando_id: str, traza: str | None) -> None:
        self.publicados.append((comando, comando_id, traza))
        if comando.recibido_en is not None:
            de_impresiones = isinstance(comando, RegistrarImpresion)
            clase = clases.IMPRESIONES if de_impresiones else clases.CONVERSIONES
            self.aceptados.anotar(clase.topico, comando.recibido_en)
        self.sin_consumir.append((comando, comando_id))
        if self.cuantos_consumidores and not self.detenidos:
            self.consumir()

    def publicar_enseguida(
        self, comando: Comando, al_saber: Callable[[bool], None], *, comando_id: str, traza: str | None
    ) -> None:
        if self.disponible:
            self._publicar(comando, comando_id, traza)
        al_saber(self.disponible)

    async def publicar_varios(
        self, comandos: Sequence[tuple[Comando, str]], *, traza: str | None
    ) -> list[BrokerNoDisponible | None]:
        causas: list[BrokerNoDisponible | None] = []
        for comando, comando_id in comandos:
            try:
                await self.publicar(comando, comando_id=comando_id, traza=traza)
            except BrokerNoDisponible as causa:
                causas.append(causa)
            else:
                causas.append(None)
        return causas

    def aceptado_antes_de(self, instante: datetime) -> Mapping[str, datetime]:
        return self.aceptados.antes_de(instante)

    def consumir(self) -> None:
        """Da destino a lo publicado que aún no lo tiene."""
        for comando, comando_id in self.sin_consumir:
            assert comando.recibido_en is not None
            identidad = IdentidadComando(comando_id, comando_id.encode()[:16])
            if isinstance(comando, RegistrarImpresion):
                ManejadorDeRegistro(clases.IMPRESIONES, self.lector).manejar(
                    [_recibido(comando, identidad)], self.registrado, comando.recibido_en
                )
            else:
                ManejadorDeRegistro(clases.CONVERSIONES, self.lector).manejar(
                    [_recibido(comando, identidad)], self.registrado, comando.recibido_en
                )
        self.sin_consumir.clear()

    async def leer_enlace(self, enlace_id: str) -> Enlace | None:
        if not self.hay_base_de_datos:
            raise LibretaNoDisponible
        return await self.enlaces.leer(enlace_id)

    async def leer(self, consulta: Callable[[Consulta], T]) -> T:
        self.consultas += 1
        if not self.hay_base_de_datos:
            raise BaseDatosNoDisponible
        return consulta(self.registrado)

    async def contar(
        self, sujeto_id: str, intervalos: Sequence[Intervalo], por: Collection[Dimension], maximo: int
    ) -> list[Contada]:
        return self.contar_de("campaña_id", sujeto_id, intervalos, por, maximo)

    def contar_de(
        self,
        de: str,
        sujeto_id: str,
        intervalos: Sequence[Intervalo],
        por: Collection[Dimension],
        maximo: int,
    ) -> list[Contada]:
        if not self.hay_base_de_datos:
            raise BaseDatosNoDisponible
        contadas = contar(self._eventos(), sujeto_id, intervalos, por, de)
        if len(contadas) > maximo:
            raise DemasiadasCuentas
        return contadas

    async def contar_con_usuarios(
        self, campaña_id: str, intervalos: Sequence[Intervalo], maximo: int
    ) -> tuple[list[Contada], list[Usuarios]]:
        contadas = await self.contar(campaña_id, intervalos, (), maximo)
        return contadas, contar_usuarios(self._eventos(), campaña_id, intervalos)

    async def mayores(
        self, campaña_id: str, periodo: Intervalo, por: Dimension, orden: Orden, bots: Bots, maximo: int
    ) -> Mayores:
        contadas = await self.contar(campaña_id, [periodo], [por], _SIN_MAXIMO)
        de_todos = await self.contar(campaña_id, [periodo], (), _SIN_MAXIMO)
        return mayores(contadas, de_todos, por, orden, bots, maximo)

    async def campañas(self, prefijo: str, despues_de: str | None, limite: int) -> Pagina:
        return self._resumir("campaña_id", prefijo, despues_de, limite)

    async def influencers(self, prefijo: str, despues_de: str | None, limite: int) -> Pagina:
        return self._resumir("influencer_id", prefijo, despues_de, limite)

    async def ritmos(self, campañas: Collection[str], periodo: Intervalo) -> Mapping[str, Ritmo]:
        if not self.hay_base_de_datos:
            raise BaseDatosNoDisponible
        return ritmos(self._eventos(), campañas, periodo)

    def _resumir(self, de: str, prefijo: str, despues_de: str | None, limite: int) -> Pagina:
        if not self.hay_base_de_datos:
            raise BaseDatosNoDisponible
        return resumir(self._eventos(), de, prefijo, despues_de, limite)

    def _eventos(self) -> list[EventoSeguido[Any]]:
        return [evento for libro in self.registrado.libros.values() for evento in libro.eventos.values()]

    async def consumidores(self) -> int:
        if not (self.hay_base_de_datos and self.se_sabe_quien_consume):
            raise BaseDatosNoDisponible
        return self.cuantos_consumidores


@dataclass
class CuentasDeInfluencersEnMemoria:
    """Lo contado en esos puertos de un influencer; cumple `LecturaDeCuentas`."""

    puertos: PuertosEnMemoria

    async def contar(
        self, sujeto_id: str, intervalos: Sequence[Intervalo], por: Collection[Dimension], maximo: int
    ) -> list[Contada]:
        return self.puertos.contar_de("influencer_id", sujeto_id, intervalos, por, maximo)


def _recibido(comando: C, identidad: IdentidadComando) -> ComandoRecibido:
    publicado_en = comando.recibido_en or AHORA
    return ComandoRecibido(identidad=identidad, comando=comando, publicado_en=publicado_en, traza=None)


def ids_consecutivos() -> Callable[[], str]:
    """Un generador de identificadores previsibles con la forma de un UUIDv7."""
    siguiente = 0

    def nuevo_id() -> str:
        nonlocal siguiente
        siguiente += 1
        return str(UUID(int=(7 << 76) | (2 << 62) | siguiente))

    return nuevo_id


@asynccontextmanager
async def sin_nada_que_abrir() -> AsyncGenerator[None]:
    """Un ciclo de vida vacío."""
    yield


def api_en_memoria(  # noqa: PLR0913 (por nombre: son los de la API)
    puertos: PuertosEnMemoria,
    *,
    claves: Collection[str] = (),
    guardadas: LlaveroGuardado | None = None,
    sin_clave: bool = False,
    nombres: Collection[str] = (),
    segundos_de_cuerpo: float = 10.0,
    esperas_maximas: int = ESPERAS_MAXIMAS,
    reloj: Callable[[], datetime] = lambda: AHORA,
    administracion: Administracion | None = None,
    topicos: TopicosDeEventos | None = None,
    ritmo_en_vivo: difusion.Ritmo = difusion.RITMO,
    llavero: Llavero | None = None,
    visitantes: Visitantes | None = None,
    limite_por_direccion: LimitePorDireccion | None = None,
) -> ASGIApp:
    """La API entera sobre esos puertos."""
    return crear_api(
        registro=CollectorRegistry(),
        tipos_de_comando=TIPOS_DE_COMANDO,
        asyncapi=_ASYNCAPI,
        paginas=lambda averiguar, aceptado_hasta: rutas_del_panel(
            fuentes_en_memoria(puertos, averiguar, aceptado_hasta, reloj, guardadas, administracion)
        ),
        despachador=puertos,
        cola_de_clics=puertos.clics,
        espera_de_clic=5.0,
        libreta=Libreta(puertos.leer_enlace),
        secretos=SECRETOS,
        topicos=topicos or TopicosQueNoHay(),
        ritmo_en_vivo=ritmo_en_vivo,
        lecturas=puertos,
        cuentas=puertos,
        cuentas_de_influencers=CuentasDeInfluencersEnMemoria(puertos),
        resumenes=puertos,
        presencia=puertos,
        enlaces=puertos.enlaces,
        ventana_de_clic=VENTANA,
        administracion=administracion,
        reloj=reloj,
        nuevo_id=ids_consecutivos(),
        acceso=ReglasDeAcceso(
            llavero=llavero or LlaveroDelServicio(claves, guardadas, reloj=reloj),
            sin_clave=sin_clave,
            nombres=nombres,
        ),
        visitantes=visitantes or VISITANTES,
        limite_por_direccion=limite_por_direccion or SIN_LIMITE,
        ciclo_de_vida=sin_nada_que_abrir,
        segundos_de_cuerpo=segundos_de_cuerpo,
        esperas_maximas=esperas_maximas,
    )


def fuentes_en_memoria(
    puertos: PuertosEnMemoria,
    averiguar: Callable[[], Awaitable[Salud]],
    aceptado_hasta: Callable[[], Mapping[str, datetime]],
    reloj: Callable[[], datetime] = lambda: AHORA,
    guardadas: LlaveroGuardado | None = None,
    administracion: Administracion | None = None,
) -> Fuentes:
    """Las del panel, sobre esos puertos."""
    nuevo_id = ids_consecutivos()
    return Fuentes(
        lecturas=puertos,
        presencia=puertos,
        cuentas=puertos,
        cuentas_de_influencers=CuentasDeInfluencersEnMemoria(puertos),
        resumenes=puertos,
        enlaces=puertos.enlaces,
        prefijos=lambda: () if guardadas is None else guardadas.prefijos,
        averiguar=averiguar,
        administracion=administracion,
        aceptado_hasta=aceptado_hasta,
        instalacion=puertos.instalacion,
        clics=puertos.clics,
        recepcion=Recepcion(despachador=puertos, reloj=reloj, nuevo_id=nuevo_id),
        reloj=reloj,
        nuevo_id=nuevo_id,
    )


def descripcion() -> dict[str, object]:
    """La descripción OpenAPI de la API."""
    descritas = (ruta for ruta in rutas_en_memoria() if isinstance(ruta, RutaDescrita))
    return openapi.descripcion(list(descritas))


def rutas_en_memoria() -> list[Ruta]:
    """Todas las rutas de la API."""
    puertos = PuertosEnMemoria()
    envios = Envios(
        despachador=puertos,
        esperas=Esperas(puertos),
        reloj=lambda: AHORA,
        nuevo_id=ids_consecutivos(),
        segundos_de_cuerpo=SEGUNDOS_MAXIMOS,
    )
    averiguar = quien_averigua(puertos, puertos, puertos, None)
    registro = CollectorRegistry()
    en_vivo = EnVivo(TopicosQueNoHay(), lambda: AHORA)
    pulso = Pulso(registro, puertos, envios.esperas, en_vivo, lambda: AHORA)
    metricas = ruta_de_metricas(registro, estado_de_la_api(pulso, puertos, puertos, puertos.clics))
    informes = [*rutas_de_listas(puertos), *rutas_de_informes(puertos, puertos, lambda: AHORA)]
    recepcion = Recepcion(despachador=puertos, reloj=lambda: AHORA, nuevo_id=ids_consecutivos())
    lotes = Lotes(recepcion=recepcion, esperas=Esperas(puertos), segundos_de_cuerpo=SEGUNDOS_MAXIMOS)
    cloudevents = CloudEvents(lector=LectorDeCloudEvents(TIPOS_DE_COMANDO), envios=envios, lotes=lotes)
    postback = Postback(recepcion, LlaveroDelServicio(), SEGUNDOS_MAXIMOS)
    recepcion_de_clics = RecepcionDeClics(puertos, puertos.clics, 5.0)
    redireccion = Redireccion(
        libreta=Libreta(puertos.leer_enlace),
        secretos=SECRETOS,
        clics=recepcion_de_clics,
        visitantes=Visitantes((), Privacidad.ENTERA),
        limite=LimitePorDireccion(None),
        reloj=lambda: AHORA,
        nuevo_id=ids_consecutivos(),
    )
    de_enlaces = RutasDeEnlaces(
        enlaces=puertos.enlaces,
        secretos=SECRETOS,
        reloj=lambda: AHORA,
        segundos_de_cuerpo=SEGUNDOS_MAXIMOS,
    )
    clics = ClicsDeConversiones(lecturas=puertos, secretos=SECRETOS, ventana=VENTANA)
    captura = [
        lotes.ruta(),
        cloudevents.ruta(),
        *postback.rutas(),
        *de_enlaces.rutas(),
        clics.ruta(),
    ]
    descritas = rutas_descritas(
        envios, puertos, puertos, en_vivo, captura, informes, metricas, averiguar, clics=puertos.clics
    )
    puerta = Puerta(llavero=LlaveroDelServicio(), visitantes=VISITANTES, limite=SIN_LIMITE)
    sin_describir = [
        *rutas_de_dialectos(recepcion, LlaveroDelServicio(), SEGUNDOS_MAXIMOS),
        *rutas_del_navegador(puerta, recepcion, recepcion_de_clics, SEGUNDOS_MAXIMOS),
        ruta_de_importaciones(lotes),
    ]
    return [
        redireccion.ruta(),
        *todas_las_rutas(descritas, descripcion_de_los_mensajes(), sin_describir, averiguar),
        *rutas_del_panel(fuentes_en_memoria(puertos, averiguar, pulso.aceptado_hasta)),
    ]


def cliente_de(api: ASGIApp, desde: str = "127.0.0.1") -> httpx2.AsyncClient:
    """Un cliente HTTP de esa API, sin sockets, que llega desde esa dirección."""
    transporte = httpx2.ASGITransport(app=api, client=(desde, 50_000))
    return httpx2.AsyncClient(transport=transporte, base_url="http://127.0.0.1:8000")
