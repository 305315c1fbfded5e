"""La API compuesta: la aplicación ASGI con su broker, su base de datos y su reloj.

Por qué existe: quien la sirve (`uvicorn`, `alpespartners iniciar`, una prueba) solo trae los ajustes.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from starlette.types import ASGIApp

from alpespartners.api.aplicacion import crear_api
from alpespartners.api.http.rutas import Ruta
from alpespartners.api.operacion.salud import Salud
from alpespartners.composicion.adaptadores import (
    acceso,
    ahora,
    base_datos,
    claves_guardadas,
    cola_de_clics,
    conectar,
    instalacion,
    libreta,
    limite_por_direccion,
    nuevo_id,
    registro_de_metricas,
    revisor,
    secretos_de_enlaces,
    visitantes,
)
from alpespartners.composicion.inicio import empezar
from alpespartners.composicion.mensajes import TIPOS_DE_COMANDO, descripcion_de_los_mensajes
from alpespartners.config import Configuracion
from alpespartners.modulos.enlaces.infraestructura.enlaces_sql import EnlacesSQL
from alpespartners.modulos.informes.infraestructura.lecturas import LecturaDeCuentasSQL
from alpespartners.modulos.informes.infraestructura.lecturas_de_influencer import LecturaDeInfluencerSQL
from alpespartners.modulos.informes.infraestructura.resumenes import ResumenesSQL
from alpespartners.modulos.informes.infraestructura.turnos import LibroPorTurnos
from alpespartners.modulos.tracking.aplicacion.recepcion import Recepcion
from alpespartners.modulos.tracking.infraestructura.despachadores import DespachadorPulsar
from alpespartners.modulos.tracking.infraestructura.en_vivo.lector_de_eventos import LectorDeEventos
from alpespartners.modulos.tracking.infraestructura.libro.hechos import hechos
from alpespartners.modulos.tracking.infraestructura.metricas import MetricasDePublicacion
from alpespartners.modulos.tracking.infraestructura.pulsar.revision import avisando
from alpespartners.panel.fuentes import Fuentes
from alpespartners.panel.rutas import rutas_del_panel
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.observacion.cuenta_comun import Puesto
from alpespartners.seedwork.procesos.ciclos import buscar_menos_ciclos
from alpespartners.seedwork.procesos.padre import terminar_con_el_padre

_SEGUNDOS_ENTRE_PULSOS: Final = 1.0


def crear_app(
    configuracion: Configuracion,
    *,
    migra: bool = False,
    puesto: Puesto | None = None,
    al_no_poder: Callable[[ErrorDeArranque], None] = lambda _: None,
) -> ASGIApp:
    """Devuelve la API; nada se abre hasta que el servidor empieza a atender.

    Args:
        configuracion: la del proceso.
        migra: si deja al día un PostgreSQL; si no, se niega a usar uno de otra versión. SQLite, siempre.
        puesto: el suyo entre los procesos que atienden el mismo puerto, si son varios.
        al_no_poder: recibe lo que le impide arrancar; el servidor, que también lo sabe, solo lo escribe.
    """
    empezar(configuracion, "api" if puesto is None else f"api {puesto.numero}")
    base = base_datos(configuracion)
    lecturas = base.lecturas()
    # Con su propia conexión: ni revocar una clave ni seguir un enlace espera a quien lee un informe.
    de_claves = base.lecturas()
    guardadas = claves_guardadas(de_claves)
    escrituras = base.reparaciones()
    por_turnos = LibroPorTurnos(lecturas)
    registro = registro_de_metricas(puesto)
    administracion = revisor(configuracion)
    despachador = DespachadorPulsar(configuracion.limite_confirmacion, MetricasDePublicacion(registro))
    cola = cola_de_clics(configuracion, despachador)
    topicos = LectorDeEventos()
    procesos = 1 if puesto is None else configuracion.procesos

    cuentas = LecturaDeCuentasSQL(por_turnos, hechos())
    cuentas_de_influencers = LecturaDeInfluencerSQL(por_turnos, hechos())
    resumenes = ResumenesSQL(por_turnos, hechos())
    enlaces = EnlacesSQL(lecturas, escrituras)

    def paginas(
        averiguar: Callable[[], Awaitable[Salud]], aceptado_hasta: Callable[[], Mapping[str, datetime]]
    ) -> list[Ruta]:
        return rutas_del_panel(
            Fuentes(
                lecturas=lecturas,
                presencia=lecturas,
                cuentas=cuentas,
                cuentas_de_influencers=cuentas_de_influencers,
                resumenes=resumenes,
                enlaces=enlaces,
                prefijos=lambda: guardadas.prefijos,
                averiguar=averiguar,
                administracion=administracion,
                aceptado_hasta=aceptado_hasta,
                instalacion=instalacion(configuracion, puesto),
                clics=cola,
                recepcion=Recepcion(despachador=despachador, reloj=ahora, nuevo_id=nuevo_id),
                reloj=ahora,
                nuevo_id=nuevo_id,
            )
        )

    @asynccontextmanager
    async def ciclo_de_vida() -> AsyncGenerator[None]:
        terminar_con_el_padre()
        try:
            async with AsyncExitStack() as pila:
                if puesto is not None:
                    pila.callback(puesto.dejar)
                pila.callback(lecturas.cerrar)
                pila.callback(de_claves.cerrar)
                pila.callback(escrituras.cerrar)
                await asyncio.to_thread(base.dejar_lista, migra=migra)
                await pila.enter_async_context(guardadas.renovandose())
                cliente, epoca = await asyncio.to_thread(conectar, configuracion, pila)
                topicos.abrir(cliente, epoca)
                await despachador.abrir(cliente)
                pila.push_async_callback(despachador.cerrar)
                await pila.enter_async_context(cola.enviando())
                buscar_menos_ciclos()
                async with avisando(administracion, lambda: despachador.disponible):
                    yield
        except ErrorDeArranque as error:
            al_no_poder(error)
            raise

    procesos = 1 if puesto is None else configuracion.procesos
    return crear_api(
        despachador=despachador,
        cola_de_clics=cola,
        espera_de_clic=configuracion.espera_de_clic,
        libreta=libreta(de_claves),
        secretos=secretos_de_enlaces(configuracion, de_claves),
        visitantes=visitantes(configuracion),
        limite_por_direccion=limite_por_direccion(configuracion, procesos),
        topicos=topicos,
        lecturas=lecturas,
        cuentas=cuentas,
        cuentas_de_influencers=cuentas_de_influencers,
        resumenes=resumenes,
        presencia=lecturas,
        enlaces=enlaces,
        ventana_de_clic=timedelta(days=configuracion.dias_de_clic),
        reloj=ahora,
        nuevo_id=nuevo_id,
        acceso=acceso(configuracion, guardadas, procesos),
        ciclo_de_vida=ciclo_de_vida,
        registro=registro,
        tipos_de_comando=TIPOS_DE_COMANDO,
        asyncapi=descripcion_de_los_mensajes(),
        paginas=paginas,
        administracion=administracion,
        entre_pulsos=None if puesto is None else _SEGUNDOS_ENTRE_PULSOS,
    )
