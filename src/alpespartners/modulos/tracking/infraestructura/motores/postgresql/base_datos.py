"""Una base de datos PostgreSQL: el libro, sus lecturas y su migración."""

from dataclasses import dataclass, field

from alpespartners.modulos.tracking.infraestructura.motores.postgresql.lecturas import LecturasPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.libro import LibroPostgreSQL, migrar


@dataclass(frozen=True, slots=True)
class BaseDatosPostgreSQL:
    """La de esa URL; cumple `BaseDatos`."""

    url: str = field(repr=False)

    def libro(self) -> LibroPostgreSQL:
        """Las transacciones de un proceso que escribe."""
        return LibroPostgreSQL(self.url)

    def lecturas(self) -> LecturasPostgreSQL:
        """Lo que un proceso lee."""
        return LecturasPostgreSQL(self.url)

    def migrar(self) -> None:
        """Lleva el esquema al de este programa."""
        migrar(self.url)

    def dejar_lista(self, *, migra: bool) -> None:
        """Migra solo si se le pide: el esquema es de todos los procesos que la usan."""
        if migra:
            migrar(self.url)
            return
        lecturas = self.lecturas()
        try:
            lecturas.comprobar()
        finally:
            lecturas.cerrar()
