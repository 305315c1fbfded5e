"""La conciliación: lo que guarda un tópico contra lo que dice el libro, pieza a pieza.

Qué es: la comparación de dos recorridos en el mismo orden, y el juicio de cada diferencia. Pura: no lee nada.
Qué no es: de dónde salen las piezas ni cómo se ordenan; eso es de la infraestructura.
Por qué existe: «los números se pueden comprobar» vale lo que valga esta comparación, y así se lee y se prueba
sin un broker. En memoria no hay nunca más de una pieza por lado.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class TipoDeHallazgo(StrEnum):
    """Qué se halló. Los dos últimos no son una discrepancia."""

    FALTA_EL_DESTINO = "comando sin destino"
    SOBRA_EL_DESTINO = "destino sin comando"
    DOS_DESTINOS = "comando con más de un destino"
    FALTA_EL_EVENTO = "fila sin evento publicado"
    SOBRA_EL_EVENTO = "evento publicado sin fila"
    OTRO_CONTENIDO = "evento que no dice lo que su fila"
    EVENTO_ILEGIBLE = "mensaje que no es un evento"
    CUENTA = "cuenta del balance que no es la de las tablas"
    INFORME = "cuenta de los informes que no es la de las filas"
    EN_VUELO = "comando en vuelo"
    NO_VERIFICABLE = "no verificable: el broker ya no guarda su mensaje"

    @property
    def es_discrepancia(self) -> bool:
        """Dice si hace fallar a la conciliación."""
        return self not in {TipoDeHallazgo.EN_VUELO, TipoDeHallazgo.NO_VERIFICABLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hallazgo:
    """Algo que no cuadra, o que no se puede comprobar, con todo lo que lo nombra.

    Lo de un informe no es de un tópico: lo nombra su detalle.
    """

    tipo: TipoDeHallazgo
    topico: str | None = None
    comando_id: str | None = None
    evento_id: str | None = None
    posicion: str | None = None
    detalle: str | None = None


@dataclass(frozen=True, slots=True)
class Mensaje:
    """Un comando o un evento, tal como lo guarda su tópico.

    Attributes:
        posicion: su lugar en el tópico.
        comando_id: el del comando, o el del comando que causó el evento.
        evento_id: el `id` de que habla, si lo hay.
        instante: el `recibido_en` con que se juzga el comando.
        contenido: resumen de lo que dice el evento; vacío en un comando, cuya clave ya lo lleva.
        espera: si es un comando de una versión posterior, que quien consume deja sin confirmar.
    """

    posicion: str
    comando_id: str
    evento_id: str | None
    instante: datetime
    contenido: bytes
    espera: bool = False


@dataclass(frozen=True, slots=True)
class Asiento:
    """Una fila o un destino del libro.

    Attributes:
        comando_id: el del comando.
        evento_id: el `id` de que habla, si lo hay.
        instante: desde cuándo tiene que estar su mensaje en el tópico.
        destino: en qué acabó: el estado o, si es un rechazo, su motivo.
        contenido: resumen del evento que anuncia la fila; vacío frente a un comando.
    """

    comando_id: str
    evento_id: str | None
    instante: datetime
    destino: str
    contenido: bytes


@dataclass(frozen=True, slots=True)
class EnCamino:
    """Un evento que la bandeja de salida todavía tiene que publicar."""


Pieza = Asiento | EnCamino | Mensaje


@dataclass(slots=True)
class Pareja:
    """Todo lo que hay con una misma clave.

    Attributes:
        asientos: los del libro; más de uno es un comando con más de un destino.
        en_camino: si la bandeja de salida lo tiene.
        mensajes: cuántas veces está en el tópico.
        mensaje: el primero de ellos.
        otro: el primero que no dice lo que el libro o, si no está en él, lo que el primero.
    """

    clave: bytes
    asientos: list[Asiento] = field(default_factory=list)
    en_camino: bool = False
    mensajes: int = 0
    mensaje: Mensaje | None = None
    otro: Mensaje | None = None

    def anadir(self, pieza: Pieza) -> None:
        """Añade una pieza; las del libro van antes que las del tópico."""
        if isinstance(pieza, Asiento):
            self.asientos.append(pieza)
        elif isinstance(pieza, EnCamino):
            self.en_camino = True
        else:
            self.mensajes += 1
            self.mensaje = self.mensaje or pieza
            debido = self.asientos[0].contenido if self.asientos else self.mensaje.contenido
            if self.otro is None and pieza.contenido != debido:
                self.otro = pieza

    def aparece(self, asiento: Asiento) -> None:
        """Añade un asiento que no estaba al leer el libro y estaba después."""
        self.asientos.append(asiento)
        if self.mensaje is not None and self.mensaje.contenido != asiento.contenido:
            self.otro = self.mensaje


@dataclass(slots=True)
class Cuenta:
    """La cuenta de un tópico, tal como salió de compararlo."""

    topico: str
    mensajes: int = 0
    distintos: int = 0
    cuadran: Counter[str] = field(default_factory=Counter)
    hallazgos: Counter[TipoDeHallazgo] = field(default_factory=Counter)
    en_camino: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterio:
    """Con qué se juzga lo que no tiene pareja.

    Attributes:
        desde: la hora del mensaje más antiguo que el tópico guarda; `None` si no guarda ninguno.
        en_vuelo: dice si un comando sin destino puede estar todavía de camino a tenerlo.
    """

    desde: datetime | None
    en_vuelo: Callable[[Mensaje], bool]

    def verificable(self, asiento: Asiento) -> bool:
        """Dice si el tópico tendría que guardar el mensaje de ese asiento."""
        return self.desde is not None and asiento.instante >= self.desde


def emparejar(piezas: Iterable[tuple[bytes, Pieza]]) -> Iterator[Pareja]:
    """Reúne las piezas de cada clave; llegan ordenadas por ella, y en cada una las del libro primero."""
    pareja: Pareja | None = None
    for clave, pieza in piezas:
        if pareja is None or pareja.clave != clave:
            if pareja is not None:
                yield pareja
            pareja = Pareja(clave)
        pareja.anadir(pieza)
    if pareja is not None:
        yield pareja


def clave_de_comando(comando_id: str, huella: bytes | None) -> bytes:
    """La clave de un comando; sin huella va delante de todas las de su `comando_id`."""
    return comando_id.encode() + b"\0" + (huella or b"")


def con_comodines(parejas: Iterable[Pareja]) -> Iterator[Pareja]:
    """Da la fila que no sabe su huella al primer comando de ese `comando_id` que no tenga destino propio.

    No la saben las que se reconstruyeron de su evento y cuyo comando el broker ya no guardaba.
    """
    comodin: Pareja | None = None
    for pareja in parejas:
        comando_id, _, huella = pareja.clave.partition(b"\0")
        if comodin is not None and comodin.clave[:-1] != comando_id:
            yield comodin
            comodin = None
        if not huella:
            comodin = pareja
            continue
        if comodin is not None and not pareja.asientos:
            pareja.asientos, comodin = comodin.asientos, None
        yield pareja
    if comodin is not None:
        yield comodin


def juzgar_comando(pareja: Pareja, criterio: Criterio, cuenta: Cuenta) -> Hallazgo | None:
    """Suma la pareja a la cuenta de su tópico de comandos y devuelve lo que no cuadra, si algo."""
    _contar(pareja, cuenta)
    mensaje = pareja.mensaje
    if len(pareja.asientos) > 1:
        destinos = ", ".join(asiento.destino for asiento in pareja.asientos)
        return _hallado(cuenta, TipoDeHallazgo.DOS_DESTINOS, pareja, destinos)
    if mensaje is None:
        (asiento,) = pareja.asientos
        tipo = (
            TipoDeHallazgo.SOBRA_EL_DESTINO
            if criterio.verificable(asiento)
            else TipoDeHallazgo.NO_VERIFICABLE
        )
        return _hallado(cuenta, tipo, pareja, asiento.destino)
    if not pareja.asientos:
        tipo = TipoDeHallazgo.EN_VUELO if criterio.en_vuelo(mensaje) else TipoDeHallazgo.FALTA_EL_DESTINO
        return _hallado(cuenta, tipo, pareja)
    cuenta.cuadran[pareja.asientos[0].destino] += 1
    return None


def juzgar_evento(pareja: Pareja, criterio: Criterio, cuenta: Cuenta) -> Hallazgo | None:
    """Suma la pareja a la cuenta de su tópico de eventos y devuelve lo que no cuadra, si algo."""
    _contar(pareja, cuenta)
    if pareja.asientos and pareja.mensaje is None:
        if pareja.en_camino:
            cuenta.en_camino += 1
            return None
        verificable = criterio.verificable(pareja.asientos[0])
        return _hallado(
            cuenta, TipoDeHallazgo.FALTA_EL_EVENTO if verificable else TipoDeHallazgo.NO_VERIFICABLE, pareja
        )
    if pareja.mensaje is None:
        # La bandeja lo tiene desde después de haber leído las filas.
        return None
    if pareja.otro is not None:
        return _hallado(cuenta, TipoDeHallazgo.OTRO_CONTENIDO, pareja)
    if not pareja.asientos:
        return _hallado(cuenta, TipoDeHallazgo.SOBRA_EL_EVENTO, pareja)
    cuenta.cuadran[pareja.asientos[0].destino] += 1
    return None


def _contar(pareja: Pareja, cuenta: Cuenta) -> None:
    cuenta.mensajes += pareja.mensajes
    cuenta.distintos += pareja.mensajes > 0


def _hallado(cuenta: Cuenta, tipo: TipoDeHallazgo, pareja: Pareja, detalle: str | None = None) -> Hallazgo:
    cuenta.hallazgos[tipo] += 1
    mensaje = pareja.otro or pareja.mensaje
    fuente = mensaje or pareja.asientos[0]
    return Hallazgo(
        tipo=tipo,
        topico=cuenta.topico,
        comando_id=fuente.comando_id,
        evento_id=fuente.evento_id,
        posicion=None if mensaje is None else mensaje.posicion,
        detalle=detalle,
    )
