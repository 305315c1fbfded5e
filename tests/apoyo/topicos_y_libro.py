"""Unos tópicos falsos y un libro SQLite de verdad, y los verbos con que una prueba los llena."""

import asyncio
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from alpespartners.composicion.adaptadores import CUENTAS
from alpespartners.modulos.informes.infraestructura.recuento import Recontado, Recuento
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.conciliacion import Cuenta, Hallazgo, TipoDeHallazgo
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import Envio, MensajeDeOtraVersion, Sobre
from alpespartners.modulos.tracking.aplicacion.puertos import Lector
from alpespartners.modulos.tracking.infraestructura.libro.hechos import hechos
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import sobre_de_comando
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.reparaciones import ReparacionesSQLite
from alpespartners.modulos.tracking.infraestructura.operacion.conciliador import Conciliador
from alpespartners.modulos.tracking.infraestructura.operacion.reconstructor import Reconstructor, Reconstruido
from alpespartners.modulos.tracking.infraestructura.pulsar.comandos_guardados import comandos_guardados
from alpespartners.modulos.tracking.infraestructura.pulsar.confirmado import Confirmado
from tests.apoyo.base_datos import libro_sqlite
from tests.apoyo.eventos import AHORA
from tests.apoyo.por_publicar import dar_por_publicado, por_publicar
from tests.apoyo.topicos_falsos import TopicosFalsos

EPOCA = UUID(int=1)
SEGUNDO = timedelta(seconds=1)


@dataclass
class TopicosYLibro:
    """Lo que guarda un broker y lo que dice una base de datos.

    Attributes:
        hallazgos: los de la última conciliación.
        confirmado: lo que la administración del broker sabe, si se le puede preguntar.
        al_avanzar: lo que ocurre mientras se lee.
        lector: quien lee las procedencias, si alguien.
    """

    datos: Path
    libro: LibroSQLite
    lecturas: LecturasSQLite
    topicos: TopicosFalsos = field(default_factory=TopicosFalsos)
    hallazgos: list[Hallazgo] = field(default_factory=list)
    confirmado: Confirmado | None = None
    al_avanzar: Callable[[str, int], None] = lambda _que, _cuantos: None
    lector: Lector | None = None

    def publicar(self, comando: Comando, comando_id: str, *, segundo: int = 0) -> Sobre:
        """Publica un comando, recibido ese segundo."""
        suyo = replace(comando, recibido_en=AHORA + segundo * SEGUNDO)
        sobre = sobre_de_comando(suyo, comando_id, None)
        self.topicos.guardar(sobre, AHORA + segundo * SEGUNDO)
        return sobre

    def consumir(self) -> None:
        """Asienta todo lo publicado, como un consumidor; lo que ya lo estaba es una reentrega."""
        for manejador in self._manejadores():
            guardados = comandos_guardados(self.topicos, manejador.topico, EPOCA)
            lote = [g.contenido for g in guardados if not isinstance(g.contenido, MensajeDeOtraVersion)]
            asyncio.run(
                self.libro.ejecutar(
                    lambda t, manejador=manejador, lote=lote: manejador.manejar(lote, t, self.ahora())  # type: ignore[misc]
                )
            )

    def pendientes(self) -> list[Envio]:
        """Lo que está por publicar."""
        return asyncio.run(por_publicar(self.libro))

    def relevar(self) -> None:
        """Publica lo que está por publicar y lo anota, como el relevo."""
        envios = self.pendientes()
        for envio in envios:
            self.topicos.guardar(envio.sobre)
        asyncio.run(dar_por_publicado(self.libro, envios))

    def ahora(self) -> datetime:
        """La hora de los consumidores."""
        return AHORA + SEGUNDO

    def conciliar(self, *, margen: int = 0) -> list[Cuenta]:
        """Concilia sin esperar."""
        self.hallazgos.clear()
        return Conciliador(
            self.topicos,
            EPOCA,
            self.lecturas,
            al_hallar=self.hallazgos.append,
            avanza=self.al_avanzar,
            espera=0,
            margen=margen * SEGUNDO,
            confirmado=lambda _topico: self.confirmado,
        ).conciliar()

    def reconstruir(self, *, ajenas: Collection[str] = ()) -> list[Reconstruido]:
        """Reconstruye el libro; lo escrito con los esquemas ajenos es ilegible."""
        reconstructor = Reconstructor(
            self.topicos,
            EPOCA,
            self.libro,
            self.lecturas,
            manejadores=self._manejadores(),
            reloj=self.ahora,
            avanza=self.al_avanzar,
            recontar=self.recontar,
            ajenas=ajenas,
        )
        return asyncio.run(reconstructor.reconstruir())

    def _manejadores(self) -> list[ManejadorDeRegistro]:
        return [ManejadorDeRegistro(clase, self.lector) for clase in clases.CLASES]

    def recontar(self) -> Recontado:
        """Deja las cuentas de los informes como dicen las filas."""
        reparaciones = ReparacionesSQLite(self.datos, CUENTAS.metadatos, sin_turno=True)
        try:
            return Recuento(
                hechos(),
                leer=reparaciones.leer_libro,
                escribir=reparaciones.escribir,
                al_hallar=lambda _diferencia: None,
                avanza=self.al_avanzar,
            ).recontar()
        finally:
            reparaciones.cerrar()

    def tipos(self) -> list[TipoDeHallazgo]:
        """Los tipos de lo hallado."""
        return [hallazgo.tipo for hallazgo in self.hallazgos]


@contextmanager
def topicos_y_libro(datos: Path) -> Generator[TopicosYLibro]:
    """Unos tópicos vacíos y un libro vacío en esa carpeta."""
    with libro_sqlite(datos) as (libro, lecturas):
        yield TopicosYLibro(datos, libro, lecturas)
