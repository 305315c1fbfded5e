"""Una exportación: los eventos de una clase, por orden de llegada, a un archivo que aparece ya entero.

Qué es: un trozo de la corriente cada vez, en transacciones cortas, hasta la frontera del momento en que
empezó; a cada trozo, lo escrito y por dónde va se llevan al disco.
Por qué existe: exportar diez millones de eventos tarda. Lo registrado no cambia, y hasta la frontera está
todo: si muere, la misma orden sigue, y el archivo es octeto por octeto el que habría sido. Al acabar se
cuentan las filas en el archivo y en el libro.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import msgspec

from alpespartners.api.tracking.clases import ClaseHTTP
from alpespartners.modulos.tracking.aplicacion.puertos import Consulta
from alpespartners.modulos.tracking.dominio.repositorios import (
    FiltroCorriente,
    LecturaCorriente,
    TramoContado,
)
from alpespartners.seedwork.procesos.cerrojos import Cerrojo
from alpespartners.traspaso.anotacion import anotar, asegurar_carpeta, leer_anotado
from alpespartners.traspaso.formatos import Formato

T = TypeVar("T")

FILAS_POR_TROZO: Final = 5_000
_ULTIMO_NUMERO: Final = 2**63 - 1


class Leer(Protocol):
    """Ejecuta una consulta en una transacción corta y devuelve lo que dé."""

    def __call__(self, consulta: Callable[[Consulta], T]) -> T:
        """Vuelve con lo que la consulta dé."""


class NoSePuedeExportar(Exception):
    """Lo que hay junto al archivo, o en el libro, lo impide. El mensaje es una frase."""


class NoCuadra(Exception):
    """El archivo no tiene las filas que hay en el libro.

    Attributes:
        en_el_archivo: las que tiene.
        en_el_libro: las que debería.
    """

    def __init__(self, en_el_archivo: int, en_el_libro: int) -> None:
        super().__init__(f"{en_el_archivo} filas en el archivo y {en_el_libro} en el libro")
        self.en_el_archivo = en_el_archivo
        self.en_el_libro = en_el_libro


@dataclass(frozen=True, slots=True, kw_only=True)
class PedidoDeExportacion:
    """Qué se exporta y a dónde.

    Attributes:
        clase: la de los eventos.
        filtro: cuáles.
        formato: cómo se escriben.
        identidad: lo que distingue este pedido de otro: clase, filtro y formato.
        ruta: el archivo.
        reemplazar: si puede estar ya, él o lo que otro pedido dejó a medias.
    """

    clase: ClaseHTTP
    filtro: FiltroCorriente
    formato: Formato
    identidad: str
    ruta: Path
    reemplazar: bool = False


class _Estado(msgspec.Struct):
    """Lo que se recuerda de una exportación a medias."""

    identidad: str
    frontera: int
    sello_de_la_frontera: str
    numero: int
    sello: str
    octetos: int


def exportar(
    leer: Leer,
    pedido: PedidoDeExportacion,
    *,
    avanza: Callable[[str, int], None],
    filas_por_trozo: int = FILAS_POR_TROZO,
) -> int:
    """Exporta, o sigue exportando, y devuelve cuántas filas tiene el archivo.

    Raises:
        BaseDatosNoDisponible: la base de datos no respondió; repetirlo sigue donde estaba.
        FilaIlegible: otra mano cambió una fila.
        NoCuadra: el archivo, que se queda a medias, no tiene las filas del libro.
        NoSePuedeExportar: ya está, lo de a medias es otra cosa, u otra orden lo está haciendo.
        OSError: no se puede escribir.
    """
    exportacion = _Exportacion(leer, pedido, avanza, filas_por_trozo)
    return exportacion.exportar()


class _Exportacion:
    def __init__(
        self,
        leer: Leer,
        pedido: PedidoDeExportacion,
        avanza: Callable[[str, int], None],
        filas_por_trozo: int,
    ) -> None:
        self._leer = leer
        self._pedido = pedido
        self._avanza = avanza
        self._filas_por_trozo = filas_por_trozo
        self._parte = pedido.ruta.with_name(f"{pedido.ruta.name}.parte")
        self._anotado = pedido.ruta.with_name(f"{pedido.ruta.name}.parte.json")

    def exportar(self) -> int:
        with self._solo_para_esta() as a_medias:
            estado = self._previo(a_medias=a_medias)
            if estado is not None and not a_medias:
                # Murió entre dar al archivo su nombre y olvidar lo anotado.
                return self._terminar(self._pedido.ruta, estado)
            if estado is None and self._pedido.ruta.exists() and not self._pedido.reemplazar:
                raise NoSePuedeExportar("ya existe; para poner otro en su lugar, --reemplazar")
            estado = self._empezar() if estado is None else estado
            self._escribir(estado)
            return self._terminar(self._pedido.formato.rematar(self._parte), estado)

    @contextmanager
    def _solo_para_esta(self) -> Iterator[bool]:
        """Durante el bloque, nadie más escribe ni mira lo de a medias; dice si lo había.

        Raises:
            NoSePuedeExportar: otra orden lo escribe, o acaba de hacerlo.
        """
        a_medias = self._parte.exists()
        cerrojo = Cerrojo(self._parte)
        try:
            if not (cerrojo.tomar() and self._es_el_que_esta(cerrojo)):
                raise NoSePuedeExportar("otra orden lo está escribiendo ahora mismo")
            try:
                yield a_medias
            except NoSePuedeExportar:
                if not a_medias:
                    self._parte.unlink(missing_ok=True)
                raise
        finally:
            cerrojo.cerrar()

    def _es_el_que_esta(self, cerrojo: Cerrojo) -> bool:
        """Si el archivo del cerrojo sigue ahí: otra orden pudo acabar entretanto y darle su nombre."""
        try:
            return os.path.samestat(os.fstat(cerrojo.descriptor), self._parte.stat())
        except FileNotFoundError:
            return False

    def _previo(self, *, a_medias: bool) -> _Estado | None:
        """Por dónde iba esta misma exportación."""
        estado: _Estado | None = leer_anotado(self._anotado, _Estado)
        if estado is None or not self._sigue_ahi(estado, a_medias=a_medias):
            return None
        impedimento = None
        if estado.identidad != self._pedido.identidad:
            impedimento = "hay a medias una exportación con otros filtros u otro formato"
        elif self._sello(estado.numero) != estado.sello:
            impedimento = "lo que hay a medias se leyó de otra base de datos, o de esta antes de rehacerla"
        if impedimento is None:
            return estado
        if self._pedido.reemplazar:
            return None
        raise NoSePuedeExportar(f"{impedimento}; para olvidarlo, --reemplazar")

    def _sigue_ahi(self, estado: _Estado, *, a_medias: bool) -> bool:
        """Si lo que se escribió está, con ese nombre o con el definitivo: alguien pudo llevárselo."""
        if a_medias:
            return self._parte.stat().st_size >= estado.octetos
        return self._pedido.ruta.exists()

    def _empezar(self) -> _Estado:
        frontera = self._corriente(lambda corriente: corriente.frontera())
        if not frontera and self._sello(_ULTIMO_NUMERO):
            raise NoSePuedeExportar(
                "la base de datos no dice hasta dónde está todo: o es una réplica, y hay que leer de la "
                "principal, o acaba de recibir lo primero, y basta con repetirlo"
            )
        cabecera = self._pedido.formato.cabecera()
        with self._parte.open("wb") as archivo:
            archivo.write(cabecera)
            archivo.flush()
            os.fsync(archivo.fileno())
        estado = _Estado(self._pedido.identidad, frontera, self._sello(frontera), 0, "", len(cabecera))
        anotar(self._anotado, estado)
        return estado

    def _escribir(self, estado: _Estado) -> None:
        """Escribe lo que falta hasta la frontera."""
        with self._parte.open("r+b") as archivo:
            # Lo que no llegó a anotarse se leerá otra vez, igual.
            archivo.truncate(estado.octetos)
            archivo.seek(estado.octetos)
            while estado.numero < estado.frontera:
                filas = self._trozo(estado)
                if filas:
                    cuerpos = [self._pedido.clase.recurso(evento) for evento in filas]
                    estado.octetos += archivo.write(self._pedido.formato.filas(cuerpos))
                    archivo.flush()
                    os.fsync(archivo.fileno())
                anotar(self._anotado, estado)
                self._avanza("filas", len(filas))

    def _trozo(self, estado: _Estado) -> list[Any]:
        """Lee el siguiente, y deja en el estado hasta dónde llega."""

        def leer(corriente: LecturaCorriente[Any]) -> tuple[list[Any], int, str]:
            tramo = corriente.leer(self._pedido.filtro, estado.numero, estado.frontera, self._filas_por_trozo)
            return tramo.eventos, tramo.hasta, corriente.sello(tramo.hasta)

        eventos, estado.numero, estado.sello = self._corriente(leer)
        return eventos

    def _terminar(self, archivo: Path, estado: _Estado) -> int:
        """Comprueba el archivo entero y le da su nombre."""
        filas = self._pedido.formato.contar(archivo)
        en_el_libro = self._contar_en_el_libro(estado.frontera)
        if filas != en_el_libro:
            raise NoCuadra(filas, en_el_libro)
        if self._sello(estado.frontera) != estado.sello_de_la_frontera:
            raise NoSePuedeExportar("la base de datos se rehízo mientras se leía; repítalo con --reemplazar")
        archivo.replace(self._pedido.ruta)
        asegurar_carpeta(self._pedido.ruta.parent)
        self._anotado.unlink()
        if archivo != self._parte:
            self._parte.unlink()
        return filas

    def _contar_en_el_libro(self, frontera: int) -> int:
        cuantas = numero = 0
        while numero < frontera:
            tramo = self._contar_tras(numero, frontera)
            cuantas, numero = cuantas + tramo.cuantos, tramo.hasta
            self._avanza("filas comprobadas", tramo.cuantos)
        return cuantas

    def _contar_tras(self, numero: int, frontera: int) -> TramoContado:
        return self._corriente(lambda corriente: corriente.contar(self._pedido.filtro, numero, frontera))

    def _sello(self, numero: int) -> str:
        return self._corriente(lambda corriente: corriente.sello(numero))

    def _corriente(self, consulta: Callable[[LecturaCorriente[Any]], T]) -> T:
        return self._leer(lambda abierta: consulta(abierta.corriente(self._pedido.clase.clase)))
