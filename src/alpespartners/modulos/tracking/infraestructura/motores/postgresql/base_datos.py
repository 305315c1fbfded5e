"""Una base de datos PostgreSQL: el libro, sus lecturas y su migración."""

from dataclasses import dataclass, field

from alpespartners.modulos.tracking.infraestructura.motores.postgresql.lecturas import LecturasPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.libro import LibroPostgreSQL, migrar
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.reparaciones import (
    ReparacionesPostgreSQL,
)
from alpespartners.modulos.tracking.infraestructura.repositorios import SIN_PROYECCION, Proyectar


@dataclass(frozen=True, slots=True)
class BaseDatosPostgreSQL:
    """La de esa URL; cumple `BaseDatos`."""

    url: str = field(repr=False)
    proyectar: Proyectar = SIN_PROYECCION

    def libro(self) -> LibroPostgreSQL:
        """Las transacciones de un proceso que escribe."""
        return LibroPostgreSQL(self.url, proyectar=self.proyectar)

    def lecturas(self) -> LecturasPostgreSQL:
        """Lo que un proceso lee."""
        return LecturasPostgreSQL(self.url, self.proyectar.metadatos)

    def reparaciones(self, *, con_el_turno: bool = False) -> ReparacionesPostgreSQL:
        """Lo que compara y corrige una orden; aquí nadie tiene ningún turno."""
        del con_el_turno
        return ReparacionesPostgreSQL(self.url, self.proyectar.metadatos)

    def migrar(self) -> None:
        """Lleva el esquema al de este programa."""
        migrar(self.url, metadatos=self.proyectar.metadatos)

    def dejar_lista(self, *, migra: bool) -> None:
        """Migra solo si se le pide: el esquema es de todos los procesos que la usan."""
        if migra:
            migrar(self.url, metadatos=self.proyectar.metadatos)
            return
        lecturas = self.lecturas()
        try:
            lecturas.comprobar()
        finally:
            lecturas.cerrar()
