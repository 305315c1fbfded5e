"""El servicio sin HTTP: un broker, un libro, y el despachador y los consumidores entre ambos."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, select, text

from alpespartners.composicion.adaptadores import CUENTAS
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.infraestructura.consumidores import Consumidores
from alpespartners.modulos.tracking.infraestructura.consumo.en_mano import archivo_en_mano
from alpespartners.modulos.tracking.infraestructura.consumo.ritmo import RitmoDelRelevo
from alpespartners.modulos.tracking.infraestructura.despachadores import DespachadorPulsar
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import abrir_comando
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import motor_de_lectura
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite
from tests.apoyo.broker import Broker
from tests.apoyo.consumo import ConsumoDePrueba
from tests.apoyo.metricas import metricas_de_publicacion
from tests.apoyo.por_publicar import CUANTO


class Puesta:
    """Lo que una prueba de extremo a extremo necesita, sin HTTP."""

    def __init__(self, broker: Broker, datos: Path) -> None:
        self.broker = broker
        self.libro = LibroSQLite(datos, proyectar=CUENTAS)
        self.datos = datos
        self._lectura = motor_de_lectura(datos, 1)

    def contar(self, tabla: Table) -> int:
        """Cuántas filas confirmadas hay en la tabla."""
        with self._lectura.begin() as conexion:
            return conexion.scalar(select(func.count()).select_from(tabla)) or 0

    def por_publicar(self) -> int:
        """Cuánto queda por publicar: 0, nada."""
        with self._lectura.begin() as conexion:
            return conexion.scalar(text(CUANTO)) or 0

    def cerrar(self) -> None:
        self._lectura.dispose()
        self.libro.cerrar()

    @asynccontextmanager
    async def consumiendo(self, abrir: Callable[..., Any] = abrir_comando) -> AsyncGenerator[Consumidores]:
        """Un proceso de consumidores dentro del bloque; al salir termina como con SIGTERM."""
        cliente = self.broker.cliente()
        en_mano = archivo_en_mano(self.datos)
        consumidores = ConsumoDePrueba(
            cliente=cliente,
            manejadores=[ManejadorDeRegistro(clases.IMPRESIONES), ManejadorDeRegistro(clases.CONVERSIONES)],
            libro=self.libro,
            archivo=en_mano,
            ritmo_del_relevo=RitmoDelRelevo(cada_barrido=0.5),
            reloj=lambda: datetime.now(UTC),
            abrir=abrir,
        ).consumidores()
        parar = asyncio.Event()
        trabajo = asyncio.create_task(consumidores.trabajar(parar))
        try:
            yield consumidores
        finally:
            parar.set()
            await trabajo
            en_mano.close()
            await asyncio.to_thread(cliente.cerrar)

    @asynccontextmanager
    async def despachando(self, limite: float = 5.0) -> AsyncGenerator[DespachadorPulsar]:
        """El despachador de una API dentro del bloque."""
        cliente = self.broker.cliente()
        despachador = DespachadorPulsar(limite, metricas=metricas_de_publicacion())
        await despachador.abrir(cliente)
        try:
            yield despachador
        finally:
            await despachador.cerrar()
            await asyncio.to_thread(cliente.cerrar)
