"""Los manejadores de comandos: de un lote de comandos recibidos a lo que el libro dice de cada uno.

Qué es: los pasos 6 a 8 del flujo (entidad, repositorio, evento de dominio), por lotes y dentro de una
transacción que abre otro. Cada comando acaba en un destino, y un mal comando no estorba a sus vecinos.
Qué no es: el bucle que recibe y confirma mensajes, ni SQL.
Por qué existe: que nada cuente dos veces depende del orden de estos pasos, y aquí se leen seguidos.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDeAlmacenamiento
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.conflictos import conflicto
from alpespartners.modulos.tracking.aplicacion.enviado import acotado, lo_enviado
from alpespartners.modulos.tracking.aplicacion.mensajes import (
    ComandoRecibido,
    DestinoDeComando,
    EventoNumerado,
    IdentidadComando,
    LoteAsentado,
    MensajeIlegible,
)
from alpespartners.modulos.tracking.aplicacion.negados import destino_de_negado
from alpespartners.modulos.tracking.aplicacion.procedencia_del_clic import con_la_de_su_clic
from alpespartners.modulos.tracking.aplicacion.puertos import Lector, Transaccion
from alpespartners.modulos.tracking.dominio.contenido import Contenido
from alpespartners.modulos.tracking.dominio.destinos import (
    Destino,
    Duplicada,
    Ilegible,
    Rechazada,
    Registrada,
)
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.excepciones import DatosInvalidos, Recolector
from alpespartners.modulos.tracking.dominio.objetos_valor import (
    advertencias_ajenas,
    id_consultable,
    identificador_consultable,
    recibido_en_creible,
)


class ManejadorDeRegistro:
    """Maneja los lotes de comandos de registro de una clase de evento.

    Args:
        clase: la suya.
        lector: quien lee su procedencia; sin él, se registran sin leerla.
    """

    def __init__(self, clase: Clase, lector: Lector | None = None) -> None:
        self._clase = clase
        self._lector = lector
        self.topico = clase.topico

    def manejar(
        self, lote: Sequence[ComandoRecibido | MensajeIlegible], transaccion: Transaccion, ahora: datetime
    ) -> LoteAsentado:
        """Asienta el lote en la transacción: decide el destino de cada comando que aún no lo tenía.

        Un comando repetido dentro del lote, o ya asentado antes, es una reentrega: no escribe nada.
        """
        pendientes = self._sin_destino(lote, transaccion)
        ilegibles = [mensaje for mensaje in pendientes if isinstance(mensaje, MensajeIlegible)]
        inadmisibles = [_destino_de_ilegible(ilegible, ahora) for ilegible in ilegibles]

        aspirantes: list[ComandoRecibido] = []
        juzgadas: list[EventoSeguido[Any]] = []
        for mensaje in pendientes:
            if not isinstance(mensaje, MensajeIlegible):
                juicio = self._juzgar(mensaje, ahora)
                if isinstance(juicio, DestinoDeComando):
                    inadmisibles.append(juicio)
                else:
                    aspirantes.append(mensaje)
                    juzgadas.append(juicio)
        destinos = self._sin_fila(inadmisibles, transaccion)

        entidades = con_la_de_su_clic(juzgadas, transaccion.clics.leidos)
        candidatas: dict[str, EventoSeguido[Any]] = {}
        for entidad in entidades:
            candidatas.setdefault(entidad.id, entidad)
        repositorio = transaccion.eventos(self._clase)
        nuevas = repositorio.agregar(list(candidatas.values()))
        # En una sentencia aparte: así ve también lo que acaba de ganar otro consumidor.
        guardadas = candidatas | repositorio.obtener(candidatas.keys() - nuevas.keys())

        eventos: list[EventoNumerado] = []
        for mensaje, entidad in zip(aspirantes, entidades, strict=True):
            guardada = guardadas[entidad.id]
            if guardada is entidad:
                evento = self._clase.evento(entidad)
                eventos.append(EventoNumerado(nuevas[entidad.id], evento, mensaje.traza))
                destinos.append(_destino(mensaje, entidad.recibido_en, ahora, Registrada()))
            elif (decidido := _frente_a_la_guardada(entidad, guardada)) is not None:
                asiento = _destino(mensaje, entidad.recibido_en, ahora, decidido)
                destinos.append(_con_lo_suyo(asiento, entidad.contenido))

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
        transaccion.proyeccion.aplicar([numerado.evento for numerado in eventos])
        transaccion.balance.sumar(self.topico, decididos)
        return LoteAsentado(decididos, envios)

    def rechazar(self, mensaje: ComandoRecibido, transaccion: Transaccion, ahora: datetime) -> LoteAsentado:
        """Rechaza un comando cuyos datos el dominio admite y la base de datos no.

        Decide su destino, o nada si ya tenía uno. El detalle no repite lo que dijo la base de datos, que
        podría citar los datos.
        """
        recibido_en, _ = recibido_en_creible(mensaje.comando.recibido_en, mensaje.publicado_en)
        rechazo = Rechazada(
            CodigoDeAlmacenamiento.RECHAZADA_POR_LA_BASE_DE_DATOS, "la base de datos no admite estos datos"
        )
        asiento = _con_lo_recibido(_destino(mensaje, recibido_en, ahora, rechazo), mensaje.comando)
        nuevos = self._sin_fila([asiento], transaccion)
        if not transaccion.destinos.anotar(self.topico, nuevos):
            return LoteAsentado([])
        transaccion.balance.sumar(self.topico, nuevos)
        return LoteAsentado(nuevos)

    def reconocer(
        self, lote: Sequence[ComandoRecibido], transaccion: Transaccion, ahora: datetime
    ) -> dict[str, bytes]:
        """Halla qué comando registró cada fila que no sabe su huella, y devuelve esta por el `id` de la fila.

        Es el que, juzgado otra vez, da la misma fila. Solo hace falta al reconstruir: un evento no la lleva.
        """
        juicios = [(mensaje.identidad.huella, self._juzgar(mensaje, ahora)) for mensaje in lote]
        entidades = [(huella, j) for huella, j in juicios if not isinstance(j, DestinoDeComando)]
        guardadas = transaccion.eventos(self._clase).obtener({entidad.id for _, entidad in entidades})
        return {
            entidad.id: huella
            for huella, entidad in entidades
            if (guardada := guardadas.get(entidad.id)) is not None
            # La lectura es de las reglas de cuando se leyó.
            and guardada
            == replace(entidad, huella=None, registrado_en=guardada.registrado_en, lectura=guardada.lectura)
        }

    def _sin_destino(
        self, lote: Sequence[ComandoRecibido | MensajeIlegible], transaccion: Transaccion
    ) -> list[ComandoRecibido | MensajeIlegible]:
        """Deja cada comando una vez, y fuera los que ya tienen destino.

        Quien ya lo tiene no vuelve a intentarlo: un rechazo no puede volverse registro en una reentrega.
        """
        unicos: dict[IdentidadComando, ComandoRecibido | MensajeIlegible] = {}
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
        autores = set(transaccion.eventos(self._clase).autores(ids).values())
        return [
            asiento
            for asiento in asientos
            if (asiento.identidad.comando_id, asiento.identidad.huella) not in autores
            and (asiento.identidad.comando_id, None) not in autores
        ]

    def _juzgar(self, mensaje: ComandoRecibido, ahora: datetime) -> EventoSeguido[Any] | DestinoDeComando:
        """Construye la entidad o dice por qué no se registra; el reloj del consumidor no influye."""
        recibido_en, avisos = recibido_en_creible(mensaje.comando.recibido_en, mensaje.publicado_en)
        negado = destino_de_negado(mensaje.comando)
        if negado is not None:
            return _con_lo_recibido(_destino(mensaje, recibido_en, ahora, negado), mensaje.comando)
        recolector = Recolector()
        recolector.avisar(*advertencias_ajenas(mensaje.comando.advertencias), *avisos)
        try:
            contenido = self._clase.contenido.crear(mensaje.comando, recibido_en, recolector)
        except DatosInvalidos as invalidos:
            asiento = _destino(mensaje, recibido_en, ahora, _rechazo(invalidos))
            return _con_lo_recibido(asiento, mensaje.comando)
        entidad: EventoSeguido[Any] = self._clase.entidad(
            contenido=contenido,
            comando_id=mensaje.identidad.comando_id,
            huella=mensaje.identidad.huella,
            recibido_en=recibido_en,
            registrado_en=ahora,
            advertencias=tuple(recolector.avisos),
            lectura=self._lector and self._lector.leer(contenido, mensaje.comando.señales),
        )
        return entidad


def _frente_a_la_guardada(
    entidad: EventoSeguido[Any], guardada: EventoSeguido[Any]
) -> Duplicada | Rechazada | None:
    """Compara con la que ya estaba; `None` es la reentrega del comando que la registró."""
    if (guardada.comando_id, guardada.huella) == (entidad.comando_id, entidad.huella):
        # Antes que su contenido: otra versión pudo normalizar hoy de otro modo lo mismo que registró.
        return None
    distintos = guardada.contenido.campos_distintos(entidad.contenido)
    if not entidad.contenido.decisivos_entre(distintos):
        if guardada.comando_id == entidad.comando_id and guardada.huella is None:
            # Reconstruida de su evento, que no lleva huella.
            return None
        return Duplicada(guardada.comando_id, distintos)
    return conflicto(distintos)


def _rechazo(invalidos: DatosInvalidos) -> Rechazada:
    primero = invalidos.fallos[0]
    return Rechazada(primero.codigo, str(invalidos), tuple(fallo.campo for fallo in invalidos.fallos))


def _destino(
    mensaje: ComandoRecibido, recibido_en: datetime, ahora: datetime, destino: Destino
) -> DestinoDeComando:
    return DestinoDeComando(
        identidad=mensaje.identidad,
        evento_id=id_consultable(mensaje.comando.id),
        recibido_en=recibido_en,
        decidido_en=ahora,
        destino=destino,
    )


def _con_lo_suyo(asiento: DestinoDeComando, contenido: Contenido) -> DestinoDeComando:
    """Le añade lo que se envió y no está en la fila con la que se comparó."""
    propio = asiento._replace(campaña_id=contenido.campaña_id, influencer_id=contenido.influencer_id)
    destino = asiento.destino
    if not isinstance(destino, Duplicada):
        return propio._replace(enviado=acotado(contenido.campos()))
    if not destino.difieren:
        return propio
    campos = contenido.campos()
    return propio._replace(enviado=acotado({nombre: campos[nombre] for nombre in destino.difieren}))


def _con_lo_recibido(asiento: DestinoDeComando, comando: Comando) -> DestinoDeComando:
    """Le añade lo que se envió en un comando que no se pudo dar por bueno."""
    return asiento._replace(
        campaña_id=identificador_consultable(comando.campaña_id),
        influencer_id=identificador_consultable(comando.influencer_id),
        enviado=lo_enviado(comando),
    )


def _destino_de_ilegible(mensaje: MensajeIlegible, ahora: datetime) -> DestinoDeComando:
    return DestinoDeComando(
        identidad=mensaje.identidad,
        evento_id=id_consultable(mensaje.clave),
        recibido_en=mensaje.publicado_en,
        decidido_en=ahora,
        destino=Ilegible(mensaje.detalle),
    )
