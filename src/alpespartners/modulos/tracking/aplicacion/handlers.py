"""Los manejadores de comandos: de un lote de comandos recibidos a su asiento en el libro.

Qué es: los pasos 6 a 8 del flujo (entidad, repositorio, evento de dominio), por lotes y dentro de una
transacción que abre otro. Cada comando acaba en un destino, y un mal comando no estorba a sus vecinos.
Qué no es: el bucle que recibe y confirma mensajes, ni SQL.
Por qué existe: que nada cuente dos veces depende del orden de estos pasos, y aquí se leen seguidos.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Generic, TypeVar

from alpespartners.modulos.tracking.aplicacion.comandos import RegistrarConversion, RegistrarImpresion
from alpespartners.modulos.tracking.aplicacion.mensajes import (
    ComandoRecibido,
    DestinoDeComando,
    IdentidadComando,
    LoteAsentado,
    MensajeIlegible,
)
from alpespartners.modulos.tracking.aplicacion.puertos import Transaccion
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
)
from alpespartners.modulos.tracking.dominio.contenido import ContenidoConversion, ContenidoImpresion
from alpespartners.modulos.tracking.dominio.destinos import (
    Destino,
    Duplicada,
    Ilegible,
    Rechazada,
    Registrada,
)
from alpespartners.modulos.tracking.dominio.entidades import Conversion, Impresion
from alpespartners.modulos.tracking.dominio.eventos import (
    ConversionRegistrada,
    EventoDominio,
    ImpresionRegistrada,
)
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, DatosInvalidos, Recolector
from alpespartners.modulos.tracking.dominio.objetos_valor import (
    advertencias_ajenas,
    id_consultable,
    recibido_en_creible,
)
from alpespartners.modulos.tracking.dominio.repositorios import RepositorioEventos

C = TypeVar("C", RegistrarImpresion, RegistrarConversion)
E = TypeVar("E", Impresion, Conversion)


class _ManejadorRegistro(ABC, Generic[C, E]):
    """Lo que es igual para impresiones y conversiones: el orden de los pasos de un lote."""

    topico: str

    def manejar(
        self, lote: Sequence[ComandoRecibido[C] | MensajeIlegible], transaccion: Transaccion, ahora: datetime
    ) -> LoteAsentado:
        """Asienta el lote en la transacción: decide el destino de cada comando que aún no lo tenía.

        Un comando repetido dentro del lote, o ya asentado antes, es una reentrega: no escribe nada.
        """
        pendientes = self._sin_destino(lote, transaccion)
        ilegibles = [mensaje for mensaje in pendientes if isinstance(mensaje, MensajeIlegible)]
        inadmisibles = [_destino_de_ilegible(ilegible, ahora) for ilegible in ilegibles]

        aspirantes: list[tuple[ComandoRecibido[C], E]] = []
        for mensaje in pendientes:
            if not isinstance(mensaje, MensajeIlegible):
                juicio = self._juzgar(mensaje, ahora)
                if isinstance(juicio, DestinoDeComando):
                    inadmisibles.append(juicio)
                else:
                    aspirantes.append((mensaje, juicio))
        destinos = self._sin_fila(inadmisibles, transaccion)

        candidatas: dict[str, E] = {}
        for _, entidad in aspirantes:
            candidatas.setdefault(entidad.id, entidad)
        repositorio = self._repositorio(transaccion)
        nuevas = repositorio.agregar(list(candidatas.values()))
        # En una sentencia aparte: así ve también lo que acaba de ganar otro consumidor.
        guardadas = candidatas | repositorio.obtener(candidatas.keys() - nuevas)

        eventos: list[tuple[EventoDominio, str | None]] = []
        for mensaje, entidad in aspirantes:
            guardada = guardadas[entidad.id]
            if guardada is entidad:
                eventos.append((self._evento(entidad), mensaje.traza))
                destinos.append(_destino(mensaje, entidad.recibido_en, ahora, Registrada()))
            elif (decidido := _frente_a_la_guardada(entidad, guardada)) is not None:
                destinos.append(_destino(mensaje, entidad.recibido_en, ahora, decidido))

        anotados = transaccion.destinos.anotar(
            self.topico, [asiento for asiento in destinos if not isinstance(asiento.destino, Registrada)]
        )
        decididos = [
            asiento
            for asiento in destinos
            if isinstance(asiento.destino, Registrada) or asiento.identidad in anotados
        ]
        envios = transaccion.bandeja.depositar_eventos(eventos)
        envios += transaccion.bandeja.depositar_cartas(
            self.topico, [ilegible for ilegible in ilegibles if ilegible.identidad in anotados]
        )
        # Lo último: son las filas por las que compiten los consumidores, y así las retienen menos tiempo.
        transaccion.balance.sumar(self.topico, decididos)
        return LoteAsentado(decididos, envios)

    def rechazar(
        self, mensaje: ComandoRecibido[C], transaccion: Transaccion, ahora: datetime
    ) -> LoteAsentado:
        """Rechaza un comando cuyos datos el dominio admite y la base de datos no.

        Decide su destino, o nada si ya tenía uno. El detalle no repite lo que dijo la base de datos, que
        podría citar los datos.
        """
        recibido_en, _ = recibido_en_creible(mensaje.comando.recibido_en, mensaje.publicado_en)
        asiento = _destino(
            mensaje,
            recibido_en,
            ahora,
            Rechazada(Codigo.RECHAZADA_POR_LA_BASE_DE_DATOS, "la base de datos no admite estos datos"),
        )
        nuevos = self._sin_fila([asiento], transaccion)
        if not transaccion.destinos.anotar(self.topico, nuevos):
            return LoteAsentado([])
        transaccion.balance.sumar(self.topico, nuevos)
        return LoteAsentado(nuevos)

    def reconocer(
        self, lote: Sequence[ComandoRecibido[C]], transaccion: Transaccion, ahora: datetime
    ) -> dict[str, bytes]:
        """Halla qué comando registró cada fila que no sabe su huella, y devuelve esta por el `id` de la fila.

        Es el que, juzgado otra vez, da la misma fila. Solo hace falta al reconstruir: un evento no la lleva.
        """
        juicios = [(mensaje.identidad.huella, self._juzgar(mensaje, ahora)) for mensaje in lote]
        entidades = [(huella, j) for huella, j in juicios if not isinstance(j, DestinoDeComando)]
        guardadas = self._repositorio(transaccion).obtener({entidad.id for _, entidad in entidades})
        return {
            entidad.id: huella
            for huella, entidad in entidades
            if (guardada := guardadas.get(entidad.id)) is not None
            and guardada == replace(entidad, huella=None, registrado_en=guardada.registrado_en)
        }

    def _sin_destino(
        self, lote: Sequence[ComandoRecibido[C] | MensajeIlegible], transaccion: Transaccion
    ) -> list[ComandoRecibido[C] | MensajeIlegible]:
        """Deja cada comando una vez, y fuera los que ya tienen destino.

        Quien ya lo tiene no vuelve a intentarlo: un rechazo no puede volverse registro en una reentrega.
        """
        unicos: dict[IdentidadComando, ComandoRecibido[C] | MensajeIlegible] = {}
        for mensaje in lote:
            unicos.setdefault(mensaje.identidad, mensaje)
        conocidos = transaccion.destinos.conocidos(self.topico, unicos.keys())
        return [mensaje for identidad, mensaje in unicos.items() if identidad not in conocidos]

    def _sin_fila(self, asientos: list[DestinoDeComando], transaccion: Transaccion) -> list[DestinoDeComando]:
        """Deja fuera los de comandos que ya registraron su fila.

        Es otra entrega, y hoy se juzga peor: otra versión con otras reglas, o un mensaje que se da por
        ilegible sin abrirlo. Lo registrado no cambia, y un comando no tiene dos destinos. Lo reconstruido de
        un evento no sabe su huella, y vale por cualquiera.
        """
        ids = {asiento.evento_id for asiento in asientos if asiento.evento_id is not None}
        if not ids:
            return asientos
        autores = set(self._repositorio(transaccion).autores(ids).values())
        return [
            asiento
            for asiento in asientos
            if (asiento.identidad.comando_id, asiento.identidad.huella) not in autores
            and (asiento.identidad.comando_id, None) not in autores
        ]

    def _juzgar(self, mensaje: ComandoRecibido[C], ahora: datetime) -> E | DestinoDeComando:
        """Construye la entidad o dice por qué se rechaza; el reloj del consumidor no influye."""
        recibido_en, avisos = recibido_en_creible(mensaje.comando.recibido_en, mensaje.publicado_en)
        recolector = Recolector()
        recolector.avisar(*advertencias_ajenas(mensaje.comando.advertencias), *avisos)
        try:
            return self._entidad(mensaje, recibido_en, ahora, recolector)
        except DatosInvalidos as invalidos:
            return _destino(mensaje, recibido_en, ahora, _rechazo(invalidos))

    @abstractmethod
    def _entidad(
        self, mensaje: ComandoRecibido[C], recibido_en: datetime, ahora: datetime, recolector: Recolector
    ) -> E: ...

    @abstractmethod
    def _evento(self, entidad: E) -> EventoDominio: ...

    @abstractmethod
    def _repositorio(self, transaccion: Transaccion) -> RepositorioEventos[E]: ...


class RegistrarImpresionHandler(_ManejadorRegistro[RegistrarImpresion, Impresion]):
    """Maneja lotes de `RegistrarImpresion`."""

    topico = COMANDO_REGISTRAR_IMPRESION

    def _entidad(
        self,
        mensaje: ComandoRecibido[RegistrarImpresion],
        recibido_en: datetime,
        ahora: datetime,
        recolector: Recolector,
    ) -> Impresion:
        return Impresion(
            contenido=ContenidoImpresion.crear(mensaje.comando, recibido_en, recolector),
            comando_id=mensaje.identidad.comando_id,
            huella=mensaje.identidad.huella,
            recibido_en=recibido_en,
            registrado_en=ahora,
            advertencias=tuple(recolector.avisos),
        )

    def _evento(self, entidad: Impresion) -> EventoDominio:
        return ImpresionRegistrada(entidad)

    def _repositorio(self, transaccion: Transaccion) -> RepositorioEventos[Impresion]:
        return transaccion.impresiones


class RegistrarConversionHandler(_ManejadorRegistro[RegistrarConversion, Conversion]):
    """Maneja lotes de `RegistrarConversion`."""

    topico = COMANDO_REGISTRAR_CONVERSION

    def _entidad(
        self,
        mensaje: ComandoRecibido[RegistrarConversion],
        recibido_en: datetime,
        ahora: datetime,
        recolector: Recolector,
    ) -> Conversion:
        return Conversion(
            contenido=ContenidoConversion.crear(mensaje.comando, recibido_en, recolector),
            comando_id=mensaje.identidad.comando_id,
            huella=mensaje.identidad.huella,
            recibido_en=recibido_en,
            registrado_en=ahora,
            advertencias=tuple(recolector.avisos),
        )

    def _evento(self, entidad: Conversion) -> EventoDominio:
        return ConversionRegistrada(entidad)

    def _repositorio(self, transaccion: Transaccion) -> RepositorioEventos[Conversion]:
        return transaccion.conversiones


def _frente_a_la_guardada(entidad: E, guardada: E) -> Duplicada | Rechazada | None:
    """Compara con la que ya estaba; `None` es la reentrega del comando que la registró."""
    if (guardada.comando_id, guardada.huella) == (entidad.comando_id, entidad.huella):
        # Antes que su contenido: otra versión pudo normalizar hoy de otro modo lo mismo que registró.
        return None
    distintos = guardada.contenido.campos_distintos(entidad.contenido)
    if distintos:
        return Rechazada(
            Codigo.CONFLICTO_DE_ID,
            f"ya existe ese id con otro contenido; difieren: {', '.join(distintos)}",
            distintos,
        )
    if guardada.comando_id == entidad.comando_id and guardada.huella is None:
        # Reconstruida de su evento, que no lleva huella.
        return None
    return Duplicada(guardada.comando_id)


def _rechazo(invalidos: DatosInvalidos) -> Rechazada:
    primero = invalidos.fallos[0]
    return Rechazada(primero.codigo, str(invalidos), tuple(fallo.campo for fallo in invalidos.fallos))


def _destino(
    mensaje: ComandoRecibido[C], recibido_en: datetime, ahora: datetime, destino: Destino
) -> DestinoDeComando:
    return DestinoDeComando(
        identidad=mensaje.identidad,
        evento_id=id_consultable(mensaje.comando.id),
        recibido_en=recibido_en,
        decidido_en=ahora,
        destino=destino,
    )


def _destino_de_ilegible(mensaje: MensajeIlegible, ahora: datetime) -> DestinoDeComando:
    return DestinoDeComando(
        identidad=mensaje.identidad,
        evento_id=id_consultable(mensaje.clave),
        recibido_en=mensaje.publicado_en,
        decidido_en=ahora,
        destino=Ilegible(mensaje.detalle),
    )
