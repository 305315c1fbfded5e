"""El conciliador: lee los tópicos desde su mensaje más antiguo y los compara con la base de datos.

Qué es: de dónde salen las piezas que `aplicacion/conciliacion.py` compara, en qué orden se leen, y la segunda
mirada a lo que falta.
Qué no es: quien arregla nada; no escribe en ningún sitio.
Por qué existe: la base de datos se lee antes que los tópicos. Así todo lo que ella dice está ya en ellos, y
lo único que puede faltar sin que falte nada es lo que llegó después: eso se mira otra vez.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b
from itertools import islice
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.aplicacion.conciliacion import (
    Asiento,
    Criterio,
    Cuenta,
    EnCamino,
    Hallazgo,
    Mensaje,
    Pareja,
    Pieza,
    TipoDeHallazgo,
    clave_de_comando,
    con_comodines,
    emparejar,
    juzgar_comando,
    juzgar_evento,
)
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_balance import procesado_hasta
from alpespartners.modulos.tracking.aplicacion.mensajes import DestinoDeComando, MensajeDeOtraVersion
from alpespartners.modulos.tracking.dominio.destinos import Registrada
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.infraestructura.libro.balance import BalanceSQL, Cuentas, motivo_de
from alpespartners.modulos.tracking.infraestructura.libro.destinos import RegistroDestinosSQL
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import (
    abrir_evento,
    ce_id_de_evento,
    evento_de,
    sobre_de_evento,
)
from alpespartners.modulos.tracking.infraestructura.operacion.recorrido import (
    PAGINA,
    LectorDelLibro,
    paginas_de_destinos,
    paginas_de_envios,
    paginas_de_eventos,
)
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar, MensajeRecibido
from alpespartners.modulos.tracking.infraestructura.pulsar.comandos_guardados import comandos_guardados
from alpespartners.modulos.tracking.infraestructura.pulsar.confirmado import Confirmado
from alpespartners.modulos.tracking.infraestructura.repositorios import RepositorioEventosSQL
from alpespartners.seedwork.sql.orden_en_disco import OrdenEnDisco

_LIBRO, _EN_CAMINO, _TOPICO = range(3)
_PIEZAS: Final[tuple[type[Pieza], ...]] = (Asiento, EnCamino, Mensaje)
_OCTETOS_RESUMEN: Final = 16
_REGISTRADAS: Final = (Registrada.estado, "")


@dataclass(slots=True)
class _Lado:
    """Un tópico y lo que el libro dice de él, ya en el mismo orden."""

    cuenta: Cuenta
    orden: OrdenEnDisco
    desde: datetime | None = None
    particiones: set[str] = field(default_factory=set)

    def anadir(self, lado: int, piezas: Iterator[tuple[bytes, Pieza]]) -> None:
        self.orden.anadir(lado, ((clave, msgspec.msgpack.encode(pieza)) for clave, pieza in piezas))

    def parejas(self) -> Iterator[Pareja]:
        return emparejar(
            (clave, msgspec.msgpack.decode(valor, type=_PIEZAS[lado]))
            for clave, lado, valor in self.orden.en_orden()
        )

    def visto(self, mensaje: MensajeRecibido) -> None:
        """Anota desde cuándo guarda mensajes: lo más reciente de lo más antiguo de cada partición."""
        particion = mensaje.posicion.split(":")[2]
        if particion not in self.particiones:
            self.particiones.add(particion)
            self.desde = max(self.desde or mensaje.publicado_en, mensaje.publicado_en)


class Conciliador:
    """Compara los cuatro tópicos con el libro.

    Args:
        cliente: el del broker.
        epoca: la de sus datos.
        lector: la base de datos.
        al_hallar: recibe cada hallazgo.
        avanza: recibe qué se está leyendo y cuántas piezas más se han leído.
        espera: segundos tras los que se vuelve a mirar lo que falta.
        margen: cuánto más viejo que el comando procesado más nuevo puede ser uno que aún está en vuelo.
        confirmado: hasta dónde está confirmado un tópico; si se sabe, el margen no cuenta.
    """

    def __init__(
        self,
        cliente: ClientePulsar,
        epoca: UUID,
        lector: LectorDelLibro,
        *,
        al_hallar: Callable[[Hallazgo], None],
        avanza: Callable[[str, int], None],
        espera: float,
        margen: timedelta,
        confirmado: Callable[[str], Confirmado | None],
    ) -> None:
        self._cliente = cliente
        self._epoca = epoca
        self._lector = lector
        self._al_hallar = al_hallar
        self._avanza = avanza
        self._espera = espera
        self._margen = margen
        self._confirmado = confirmado

    def conciliar(self) -> list[Cuenta]:
        """Lo compara todo y devuelve la cuenta de cada tópico.

        Raises:
            BaseDatosNoDisponible: la base de datos no respondió.
            EsquemaDesconocido: hay eventos que publicó una versión posterior.
            FalloDelBroker: el broker no respondió.
        """
        with ExitStack() as pila:
            leidas = [(clase, *self._leer(clase, pila)) for clase in CLASES]
            if any(_ausente(pareja) for _, *lados in leidas for lado in lados for pareja in lado.parejas()):
                time.sleep(self._espera)
            return [
                cuenta
                for clase, comandos, eventos in leidas
                for cuenta in (self._juzgar_comandos(clase, comandos), self._juzgar_eventos(clase, eventos))
            ]

    def _leer(self, clase: Clase, pila: ExitStack) -> tuple[_Lado, _Lado]:
        comandos, eventos = (
            _Lado(Cuenta(clase.topico), OrdenEnDisco()),
            _Lado(Cuenta(clase.topico_de_eventos), OrdenEnDisco()),
        )
        pila.callback(comandos.orden.cerrar)
        pila.callback(eventos.orden.cerrar)
        self._leer_el_libro(clase, comandos, eventos)
        for ce_ids in paginas_de_envios(self._lector, clase):
            eventos.anadir(_EN_CAMINO, ((ce_id.encode(), EnCamino()) for ce_id in ce_ids))
        comandos.anadir(_TOPICO, self._comandos(clase, comandos))
        eventos.anadir(_TOPICO, self._eventos(clase, eventos))
        return comandos, eventos

    def _leer_el_libro(self, clase: Clase, comandos: _Lado, eventos: _Lado) -> None:
        """Lee filas y destinos, y comprueba que el balance dice cuántos hay.

        El balance solo crece, con las tablas y en su transacción: lo contado tiene que quedar entre lo que
        decía antes y lo que dice después, que en calma son lo mismo.
        """
        contadas: Cuentas = Counter()
        antes = self._balance(clase)
        for filas in paginas_de_eventos(self._lector, clase):
            contadas[_REGISTRADAS] += len(filas)
            comandos.anadir(_LIBRO, ((_clave(fila), _asiento_de_fila(fila)) for fila in filas))
            eventos.anadir(
                _LIBRO,
                (
                    (ce_id_de_evento(clase.topico_de_eventos, fila.id).encode(), _anuncio(fila))
                    for fila in filas
                ),
            )
            self._avanza(f"{clase.topico_de_eventos}: libro", len(filas))
        for destinos in paginas_de_destinos(self._lector, clase.topico):
            contadas.update((d.destino.estado, motivo_de(d)) for d in destinos)
            comandos.anadir(
                _LIBRO,
                (
                    (clave_de_comando(d.identidad.comando_id, d.identidad.huella), _asiento_de_destino(d))
                    for d in destinos
                ),
            )
            self._avanza(f"{clase.topico}: destinos", len(destinos))
        despues = self._balance(clase)
        for clave in sorted(contadas.keys() | antes.keys() | despues.keys()):
            if not antes[clave] <= contadas[clave] <= despues[clave]:
                estado, motivo = clave
                detalle = f"{motivo or estado}: dice {despues[clave]} y hay {contadas[clave]}"
                self._hallar_cuenta(comandos, detalle)

    def _hallar_cuenta(self, comandos: _Lado, detalle: str) -> None:
        comandos.cuenta.hallazgos[TipoDeHallazgo.CUENTA] += 1
        self._al_hallar(Hallazgo(tipo=TipoDeHallazgo.CUENTA, topico=comandos.cuenta.topico, detalle=detalle))

    def _balance(self, clase: Clase) -> Cuentas:
        return self._lector.leer_libro(lambda c: _del_balance(c, clase))

    def _comandos(self, clase: Clase, lado: _Lado) -> Iterator[tuple[bytes, Pieza]]:
        for guardado in comandos_guardados(self._cliente, clase.topico, self._epoca):
            lado.visto(guardado.mensaje)
            self._avanza(clase.topico, 1)
            identidad = guardado.contenido.identidad
            yield (
                clave_de_comando(identidad.comando_id, identidad.huella),
                Mensaje(
                    guardado.mensaje.posicion,
                    identidad.comando_id,
                    guardado.evento_id,
                    guardado.recibido_en,
                    b"",
                    espera=isinstance(guardado.contenido, MensajeDeOtraVersion),
                ),
            )

    def _eventos(self, clase: Clase, lado: _Lado) -> Iterator[tuple[bytes, Pieza]]:
        for mensaje in self._cliente.leer(clase.topico_de_eventos):
            lado.visto(mensaje)
            self._avanza(clase.topico_de_eventos, 1)
            entidad = abrir_evento(clase, carga=mensaje.carga, propiedades=mensaje.propiedades)
            if entidad is None:
                lado.cuenta.mensajes += 1
                lado.cuenta.hallazgos[TipoDeHallazgo.EVENTO_ILEGIBLE] += 1
                self._al_hallar(
                    Hallazgo(
                        tipo=TipoDeHallazgo.EVENTO_ILEGIBLE,
                        topico=clase.topico_de_eventos,
                        posicion=mensaje.posicion,
                    )
                )
                continue
            ce_id = mensaje.propiedades.get("ce_id", "")
            yield (
                ce_id.encode(),
                Mensaje(
                    mensaje.posicion, entidad.comando_id, entidad.id, entidad.registrado_en, _resumen(entidad)
                ),
            )

    def _juzgar_comandos(self, clase: Clase, lado: _Lado) -> Cuenta:
        criterio = Criterio(desde=lado.desde, en_vuelo=self._en_vuelo(clase))

        def buscar(parejas: list[Pareja], conexion: Connection) -> dict[bytes, Asiento]:
            mensajes = [pareja.mensaje for pareja in parejas if pareja.mensaje is not None]
            destinos = RegistroDestinosSQL(conexion).de_comandos(
                clase.topico, {mensaje.comando_id for mensaje in mensajes}
            )
            filas = RepositorioEventosSQL(conexion, clase).obtener(
                {mensaje.evento_id for mensaje in mensajes if mensaje.evento_id}
            )
            return {
                clave_de_comando(d.identidad.comando_id, d.identidad.huella): _asiento_de_destino(d)
                for d in destinos
            } | {_clave(fila): _asiento_de_fila(fila) for fila in filas.values()}

        for pareja in self._otra_mirada(con_comodines(lado.parejas()), buscar):
            self._anotar(juzgar_comando(pareja, criterio, lado.cuenta))
        return lado.cuenta

    def _en_vuelo(self, clase: Clase) -> Callable[[Mensaje], bool]:
        """Cómo se sabe si un comando sin destino está en vuelo; se pregunta antes de volver a buscarlo.

        Un consumidor asienta primero y confirma después: lo confirmado ahora tiene que estar ya en el libro.
        """
        confirmado = self._confirmado(clase.topico)
        if confirmado is not None:
            return lambda mensaje: not confirmado.confirmo(mensaje.posicion)
        renglones = self._lector.leer_libro(lambda c: BalanceSQL(c).renglones())
        hasta = procesado_hasta(renglones, clase.topico)
        return lambda mensaje: mensaje.espera or hasta is None or mensaje.instante > hasta - self._margen

    def _juzgar_eventos(self, clase: Clase, lado: _Lado) -> Cuenta:
        criterio = Criterio(desde=lado.desde, en_vuelo=lambda _: False)

        def buscar(parejas: list[Pareja], conexion: Connection) -> dict[bytes, Asiento]:
            ids = {p.mensaje.evento_id for p in parejas if p.mensaje is not None and p.mensaje.evento_id}
            return {
                ce_id_de_evento(clase.topico_de_eventos, fila.id).encode(): _anuncio(fila)
                for fila in RepositorioEventosSQL(conexion, clase).obtener(ids).values()
            }

        for pareja in self._otra_mirada(lado.parejas(), buscar):
            self._anotar(juzgar_evento(pareja, criterio, lado.cuenta))
        return lado.cuenta

    def _otra_mirada(
        self,
        parejas: Iterator[Pareja],
        buscar: Callable[[list[Pareja], Connection], dict[bytes, Asiento]],
    ) -> Iterator[Pareja]:
        """Vuelve a buscar en el libro, de mil en mil, lo que está en el tópico y no estaba en él."""
        while tanda := list(islice(parejas, PAGINA)):
            ausentes = [pareja for pareja in tanda if _ausente(pareja)]
            if ausentes:
                hallados = self._lector.leer_libro(partial(buscar, ausentes))
                for pareja in ausentes:
                    if (hallado := hallados.get(pareja.clave)) is not None:
                        pareja.aparece(hallado)
            yield from tanda

    def _anotar(self, hallazgo: Hallazgo | None) -> None:
        if hallazgo is not None:
            self._al_hallar(hallazgo)


def _del_balance(conexion: Connection, clase: Clase) -> Cuentas:
    renglones = BalanceSQL(conexion).renglones()
    return Counter({(r.estado, r.motivo or ""): r.cuantos for r in renglones if r.topico == clase.topico})


def _ausente(pareja: Pareja) -> bool:
    return pareja.mensaje is not None and not pareja.asientos


def _resumen(entidad: EventoSeguido[Any]) -> bytes:
    """Lo que diría hoy su evento, reducido: iguales solo si dicen lo mismo, campo por campo.

    Salvo cuándo se registró y cómo se leyó: lo que vino después de una copia se registra otra vez al
    restaurarla, y la fila se vuelve a leer con cada versión de las reglas.
    """
    sin_registro = replace(entidad, registrado_en=entidad.recibido_en, lectura=None)
    try:
        carga = sobre_de_evento(evento_de(sin_registro), None).carga
    except ValueError:
        # Alguien cambió la fila por fuera: ningún evento puede decir lo que dice.
        return b""
    return blake2b(carga, digest_size=_OCTETOS_RESUMEN).digest()


def _clave(fila: EventoSeguido[Any]) -> bytes:
    return clave_de_comando(fila.comando_id, fila.huella)


def _asiento_de_fila(fila: EventoSeguido[Any]) -> Asiento:
    return Asiento(fila.comando_id, fila.id, fila.recibido_en, Registrada.estado, b"")


def _anuncio(fila: EventoSeguido[Any]) -> Asiento:
    return Asiento(fila.comando_id, fila.id, fila.registrado_en, Registrada.estado, _resumen(fila))


def _asiento_de_destino(asiento: DestinoDeComando) -> Asiento:
    return Asiento(
        asiento.identidad.comando_id,
        asiento.evento_id,
        asiento.recibido_en,
        motivo_de(asiento) or asiento.destino.estado,
        b"",
    )
