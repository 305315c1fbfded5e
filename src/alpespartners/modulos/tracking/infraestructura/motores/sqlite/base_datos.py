"""La base de datos SQLite de una carpeta: el libro, sus lecturas y su migración."""

from dataclasses import dataclass
from pathlib import Path

from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite, migrar


@dataclass(frozen=True, slots=True)
class BaseDatosSQLite:
    """El archivo de esa carpeta; cumple `BaseDatos`."""

    datos: Path

    def libro(self) -> LibroSQLite:
        """Las transacciones de un proceso que escribe."""
        return LibroSQLite(self.datos)

    def lecturas(self) -> LecturasSQLite:
        """Lo que un proceso lee."""
        return LecturasSQLite(self.datos)

    def migrar(self) -> None:
        """Lleva el esquema al de este programa."""
        migrar(self.datos)

    def dejar_lista(self, *, migra: bool) -> None:
        """Migra: al archivo de una carpeta lo migra quien llega primero."""
        del migra
        migrar(self.datos)
