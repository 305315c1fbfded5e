"""La base de datos SQLite de una carpeta: el libro, sus lecturas y su migración."""

from dataclasses import dataclass
from pathlib import Path

from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import admite_dos_escritores
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite, migrar
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.reparaciones import ReparacionesSQLite
from alpespartners.modulos.tracking.infraestructura.repositorios import SIN_PROYECCION, Proyectar


@dataclass(frozen=True, slots=True)
class BaseDatosSQLite:
    """El archivo de esa carpeta; cumple `BaseDatos`."""

    datos: Path
    proyectar: Proyectar = SIN_PROYECCION

    def libro(self) -> LibroSQLite:
        """Las transacciones de un proceso que escribe."""
        return LibroSQLite(self.datos, proyectar=self.proyectar)

    def lecturas(self) -> LecturasSQLite:
        """Lo que un proceso lee."""
        return LecturasSQLite(self.datos, self.proyectar.metadatos)

    def reparaciones(self, *, con_el_turno: bool = False) -> ReparacionesSQLite:
        """Lo que compara y corrige una orden."""
        return ReparacionesSQLite(
            self.datos, self.proyectar.metadatos, sin_turno=con_el_turno or admite_dos_escritores()
        )

    def migrar(self) -> None:
        """Lleva el esquema al de este programa."""
        migrar(self.datos, metadatos=self.proyectar.metadatos)

    def dejar_lista(self, *, migra: bool) -> None:
        """Migra: al archivo de una carpeta lo migra quien llega primero."""
        del migra
        migrar(self.datos, metadatos=self.proyectar.metadatos)
