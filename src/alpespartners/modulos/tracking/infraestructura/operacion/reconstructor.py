"""El reconstructor: deja entera una base de datos vacía con lo que guardan los tópicos.

Qué es: cuatro pasos sobre los tópicos, en lotes. Los eventos traen las filas; los comandos, qué carga las
causó, y después los destinos y las filas sin evento; al final se cuentan los informes y el balance.
Qué no es: un segundo juicio. Los comandos los juzga el manejador de los consumidores, frente a filas que ya
están; por eso no contradice ningún evento publicado ni publica otro.
Por qué existe: lo que no se puede volver a hacer desde los tópicos no está en ellos, y ellos son la prueba.

El balance se escribe lo último y de una vez. Mientras falta, la base de datos está vacía o a medio
reconstruir, y en los dos casos repetirlo todo da lo mismo: si muere, se ejecuta otra vez.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.aplicacion.mensajes import (
    ComandoRecibido,
    DestinoDeComando,
    Envio,
    EventoNumerado,
    IdentidadComando,
    MensajeDeOtraVersion,
    MensajeIlegible,
)
from alpespartners.modulos.tracking.aplicacion.puertos import EsquemaDesconocido, Transaccion
from alpespartners.modulos.tracking.dominio.destinos import Registrada
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.eventos import EventoDominio
from alpespartners.modulos.tracking.infraestructura.consumo.escritor import Manejador
from alpespartners.modulos.tracking.infraestructura.libro.balance import BalanceSQL, Cuentas, motivo_de
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import (
    PROPIEDAD_COMANDO,
    PROPIEDAD_DETALLE,
    PROPIEDAD_RECORTADA,
    SUFIJO_CARTAS,
    abrir_evento,
    huella_de,
    sin_abrir,
)
from alpespartners.modulos.tracking.infraestructura.operacion.recorrido import (
    PAGINA,
    LectorDelLibro,
    paginas_de_destinos,
    paginas_de_eventos,
)
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar
from alpespartners.modulos.tracking.infraestructura.pulsar.comandos_guardados import (
    ComandoGuardado,
    comandos_guardados,
)
from alpespartners.modulos.tracking.infraestructura.repositorios import DatosRechazados, TransaccionSQL
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.sql.orden_en_disco import OrdenEnDisco

T = TypeVar("T")

_OCTETOS_POR_LOTE: Final = 8 * 1024 * 1024
_NO_ESTA_VACIA: Final = (
    "La base de datos no está vacía: reconstruir es solo para una recién migrada. "
    "Si la anterior está dañada, guárdela aparte y empiece con otra."
)


class LibroVacio(Protocol):
    """La base de datos que se reconstruye."""

    async def ejecutar(self, trabajo: Callable[[TransaccionSQL], T]) -> T:
        """Ejecuta el trabajo en una transacción y vuelve tras su commit; si falla no queda nada."""


class ManejadorQueReconoce(Manejador, Protocol):
    """El manejador de un consumidor, que además sabe de qué comando salió una fila."""

    def reconocer(
        self, lote: Sequence[ComandoRecibido], transaccion: Transaccion, ahora: datetime
    ) -> dict[str, bytes]:
        """Halla qué comandos registraron las filas que no saben su huella."""


@dataclass(slots=True)
class Reconstruido:
    """Lo que se hizo con un tópico de comandos y con el de sus eventos.

    Attributes:
        filas: las que trajeron los eventos.
        sin_evento: las que se registraron porque su evento no estaba publicado.
        destinos: los anotados.
        eventos_ilegibles: mensajes del tópico de eventos que no son uno, o que la base de datos no admite.
    """

    topico: str
    filas: int = 0
    sin_evento: int = 0
    destinos: int = 0
    eventos_ilegibles: int = 0


class Reconstructor:
    """Reconstruye un libro.

    Args:
        cliente: el del broker.
        epoca: la de sus datos.
        libro: donde se escribe; nadie más escribe en él.
        lector: el mismo, para leerlo.
        manejadores: los de los consumidores.
        reloj: la hora en UTC.
        avanza: recibe qué se está haciendo y cuántas piezas más se han hecho.
        recontar: deja las cuentas de los informes como dicen las filas; repetirlo da lo mismo.
        ajenas: huellas de esquemas que no son de nadie.
    """

    def __init__(  # noqa: PLR0913 (por nombre: es la lista de lo que necesita)
        self,
        cliente: ClientePulsar,
        epoca: UUID,
        libro: LibroVacio,
        lector: LectorDelLibro,
        *,
        manejadores: Sequence[ManejadorQueReconoce],
        reloj: Callable[[], datetime],
        avanza: Callable[[str, int], None],
        recontar: Callable[[], object],
        ajenas: Collection[str] = (),
    ) -> None:
        self._cliente = cliente
        self._epoca = epoca
        self._libro = libro
        self._lector = lector
        self._manejadores = {manejador.topico: manejador for manejador in manejadores}
        self._reloj = reloj
        self._avanza = avanza
        self._recontar = recontar
        self._ajenas = ajenas

    async def reconstruir(self) -> list[Reconstruido]:
        """Lo reconstruye todo y dice qué se hizo con cada clase.

        Raises:
            BaseDatosNoDisponible: la base de datos no respondió; lo hecho vale, y se puede repetir.
            ErrorDeArranque: la base de datos no está vacía ni a medio reconstruir.
            EsquemaDesconocido: hay mensajes de una versión posterior; lo hecho vale, y ella puede repetirlo.
            FalloDelBroker: el broker no respondió; lo hecho vale, y se puede repetir.
        """
        if self._lector.leer_libro(lambda c: BalanceSQL(c).renglones()):
            raise ErrorDeArranque(_NO_ESTA_VACIA)
        # Los números de la corriente vuelven a empezar, y quizá para otros eventos.
        await self._libro.ejecutar(lambda t: t.renovar_identidad())
        hechos = [await self._reconstruir(clase) for clase in CLASES]
        self._recontar()
        await self._contar()
        return hechos

    async def _reconstruir(self, clase: Clase) -> Reconstruido:
        hecho = Reconstruido(clase.topico)
        await self._filas(clase, hecho)
        await self._huellas(clase)
        await self._destinos(clase, hecho)
        return hecho

    async def _filas(self, clase: Clase, hecho: Reconstruido) -> None:
        for lote in _en_lotes(self._cliente.leer(clase.topico_de_eventos), lambda mensaje: mensaje.carga):
            primeras: dict[str, EventoSeguido[Any]] = {}
            for mensaje in lote:
                entidad = abrir_evento(clase, carga=mensaje.carga, propiedades=mensaje.propiedades)
                if entidad is None:
                    hecho.eventos_ilegibles += 1
                else:
                    # De dos eventos con un `id` vale el primero, que es el que los demás conocen.
                    primeras.setdefault(entidad.id, entidad)
            hecho.filas += await self._agregar(clase, list(primeras.values()), hecho)
            self._avanza(clase.topico_de_eventos, len(lote))

    async def _agregar(self, clase: Clase, entidades: list[EventoSeguido[Any]], hecho: Reconstruido) -> int:
        try:
            return await self._libro.ejecutar(lambda t: len(t.eventos_publicados(clase).agregar(entidades)))
        except DatosRechazados:
            if len(entidades) == 1:
                hecho.eventos_ilegibles += 1
                return 0
            mitad = len(entidades) // 2
            return await self._agregar(clase, entidades[:mitad], hecho) + await self._agregar(
                clase, entidades[mitad:], hecho
            )

    async def _huellas(self, clase: Clase) -> None:
        """Antes que ningún destino: dos cargas con un `ce_id` pueden llegar en cualquier orden."""
        manejador = self._manejadores[clase.topico]
        for lote in self._comandos(clase):
            comandos = [c.contenido for c in lote if isinstance(c.contenido, ComandoRecibido)]

            def anotar(transaccion: TransaccionSQL, comandos: Sequence[Any] = comandos) -> None:
                huellas = manejador.reconocer(comandos, transaccion, self._reloj())
                transaccion.eventos(clase).poner_huellas(huellas)

            await self._libro.ejecutar(anotar)
            self._avanza(f"{clase.topico}: huellas", len(lote))

    async def _destinos(self, clase: Clase, hecho: Reconstruido) -> None:
        with ExitStack() as pila:
            cartas = _Cartas(self._cliente, clase.topico)
            pila.callback(cartas.cerrar)
            for lote in self._comandos(clase):
                detalles = {c.contenido.identidad: cartas.detalle(c.contenido.identidad) for c in lote}
                con_carta = {identidad for identidad, detalle in detalles.items() if detalle is not None}
                contenidos = [self._contenido(clase, c, detalles[c.contenido.identidad]) for c in lote]
                for asiento in await self._asentar(clase, contenidos, con_carta):
                    if isinstance(asiento.destino, Registrada):
                        hecho.sin_evento += 1
                    else:
                        hecho.destinos += 1
                self._avanza(f"{clase.topico}: destinos", len(lote))

    async def _asentar(
        self,
        clase: Clase,
        lote: Sequence[ComandoRecibido | MensajeIlegible],
        con_carta: Collection[IdentidadComando],
    ) -> list[DestinoDeComando]:
        manejador = self._manejadores[clase.topico]
        ahora = self._reloj()
        try:
            asentado = await self._libro.ejecutar(
                lambda t: manejador.manejar(lote, _TransaccionDeReconstruccion(t, con_carta), ahora)
            )
        except DatosRechazados:
            unico = lote[0]
            if len(lote) == 1 and isinstance(unico, ComandoRecibido):
                asentado = await self._libro.ejecutar(
                    lambda t: manejador.rechazar(unico, _TransaccionDeReconstruccion(t, con_carta), ahora)
                )
            else:
                mitad = len(lote) // 2
                return [
                    *await self._asentar(clase, lote[:mitad], con_carta),
                    *await self._asentar(clase, lote[mitad:], con_carta),
                ]
        return asentado.destinos

    def _contenido(
        self, clase: Clase, comando: ComandoGuardado, detalle: str | None
    ) -> ComandoRecibido | MensajeIlegible:
        """El comando o, si tiene carta con ese detalle, lo ilegible que fue, aunque hoy se pudiera abrir."""
        if detalle is None:
            if isinstance(comando.contenido, MensajeDeOtraVersion):
                raise EsquemaDesconocido(clase.topico, comando.contenido.huella_esquema)
            return comando.contenido
        mensaje = comando.mensaje
        return sin_abrir(
            clase.topico,
            carga=mensaje.carga,
            propiedades=mensaje.propiedades,
            clave=mensaje.clave,
            publicado_en=mensaje.publicado_en,
            posicion=mensaje.posicion,
            epoca=self._epoca,
            detalle=detalle,
        )

    def _comandos(self, clase: Clase) -> Iterator[list[ComandoGuardado]]:
        guardados = comandos_guardados(self._cliente, clase.topico, self._epoca, self._ajenas)
        return _en_lotes(guardados, lambda guardado: guardado.mensaje.carga)

    async def _contar(self) -> None:
        """Cuenta las tablas y escribe el balance, con lo que el libro deja de estar a medio reconstruir."""
        contadas = {clase.topico: self._contadas(clase) for clase in CLASES}

        def escribir(transaccion: TransaccionSQL) -> None:
            if transaccion.balance.renglones():
                raise ErrorDeArranque(_NO_ESTA_VACIA)
            for topico, (cuentas, hasta) in contadas.items():
                transaccion.balance.sumar_cuentas(topico, cuentas, hasta)

        await self._libro.ejecutar(escribir)

    def _contadas(self, clase: Clase) -> tuple[Cuentas, datetime | None]:
        cuentas: Cuentas = Counter()
        hasta: list[datetime] = []
        for filas in paginas_de_eventos(self._lector, clase):
            cuentas[Registrada.estado, ""] += len(filas)
            hasta = [max([*hasta, *(fila.recibido_en for fila in filas)])]
        for destinos in paginas_de_destinos(self._lector, clase.topico):
            cuentas.update((asiento.destino.estado, motivo_de(asiento)) for asiento in destinos)
            hasta = [max([*hasta, *(asiento.recibido_en for asiento in destinos)])]
        return cuentas, hasta[0] if hasta else None


class _Cartas:
    """Las cartas muertas que el broker guarda de un tópico: qué comandos fueron ilegibles y por qué."""

    def __init__(self, cliente: ClientePulsar, topico: str) -> None:
        self._orden = OrdenEnDisco()
        for mensaje in cliente.leer(topico + SUFIJO_CARTAS):
            propias = mensaje.propiedades
            # De una carta recortada no se puede saber la huella que tenía el mensaje.
            huella = b"" if PROPIEDAD_RECORTADA in propias else huella_de(mensaje.carga or b"")
            clave = _clave(propias.get(PROPIEDAD_COMANDO, ""), huella)
            self._orden.anadir(0, [(clave, propias.get(PROPIEDAD_DETALLE, "").encode())])

    def detalle(self, identidad: IdentidadComando) -> str | None:
        """Por qué se dio por ilegible ese comando, si hay carta suya."""
        hallado = self._orden.buscar(_clave(identidad.comando_id, identidad.huella))
        if hallado is None:
            hallado = self._orden.buscar(_clave(identidad.comando_id, b""))
        return None if hallado is None else hallado.decode()

    def cerrar(self) -> None:
        self._orden.cerrar()


class _TransaccionDeReconstruccion:
    """Una transacción en la que no se suma el balance, que se cuenta al final, ni se repite una carta."""

    def __init__(self, transaccion: TransaccionSQL, con_carta: Collection[IdentidadComando]) -> None:
        self.eventos = transaccion.eventos
        self.destinos = transaccion.destinos
        self.clics = transaccion.clics
        self.bandeja = self
        self.balance = self
        self.proyeccion = self
        self._transaccion = transaccion
        self._con_carta = con_carta

    def sumar(self, topico: str, destinos: Sequence[DestinoDeComando]) -> None:
        """No suma nada: el balance se cuenta al final."""

    def aplicar(self, eventos: Sequence[EventoDominio[Any]]) -> None:
        """No cuenta nada: los informes se cuentan al final."""

    def cambiar(self, antes: Sequence[EventoDominio[Any]], ahora: Sequence[EventoDominio[Any]]) -> None:
        """Ídem."""

    def depositar_eventos(self, eventos: Sequence[EventoNumerado]) -> list[Envio]:
        """Deja pendientes los eventos de las filas que no lo tenían publicado."""
        return self._transaccion.bandeja.depositar_eventos(eventos)

    def depositar_cartas(self, topico: str, cartas: Sequence[MensajeIlegible]) -> list[Envio]:
        """Deposita las cartas que el broker no guarda ya."""
        nuevas = [carta for carta in cartas if carta.identidad not in self._con_carta]
        return self._transaccion.bandeja.depositar_cartas(topico, nuevas)


def _clave(comando_id: str, huella: bytes) -> bytes:
    return comando_id.encode() + b"\0" + huella


def _en_lotes(piezas: Iterable[T], carga_de: Callable[[T], bytes | None]) -> Iterator[list[T]]:
    """Reúne las piezas en lotes que caben en la memoria, por grandes que sean."""
    lote: list[T] = []
    octetos = 0
    for pieza in piezas:
        lote.append(pieza)
        octetos += len(carga_de(pieza) or b"")
        if len(lote) >= PAGINA or octetos >= _OCTETOS_POR_LOTE:
            yield lote
            lote, octetos = [], 0
    if lote:
        yield lote
