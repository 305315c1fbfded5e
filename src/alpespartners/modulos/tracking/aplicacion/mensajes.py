"""Lo que va y viene entre el consumidor y un manejador: comandos recibidos, y lo que resultó de asentarlos.

Qué es: el comando con lo que el broker sabe de él, o el mensaje que no se pudo leer; de vuelta, en qué acabó
cada uno y lo que hay que publicar.
Qué no es: el mensaje de Pulsar; aquí no hay clientes ni confirmaciones.
Por qué existe: el mismo comando puede entregarse muchas veces, y solo su identidad dice que es el mismo.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.dominio.destinos import Destino
from alpespartners.modulos.tracking.dominio.eventos import EventoDominio


class IdentidadComando(NamedTuple):
    """Qué comando es: su `ce_id` y una huella de 16 octetos de su carga.

    La huella separa dos cargas distintas que un publicador ajeno envió con un mismo `ce_id`.
    """

    comando_id: str
    huella: bytes


class ComandoRecibido(NamedTuple):
    """Un comando descifrado; su `id` ya está resuelto y `publicado_en` es del broker, en UTC."""

    identidad: IdentidadComando
    comando: Comando
    publicado_en: datetime
    traza: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MensajeIlegible:
    """Un mensaje que no es un comando de este tópico; conserva sus octetos para la carta muerta."""

    identidad: IdentidadComando
    clave: str | None
    publicado_en: datetime
    detalle: str
    carga: bytes
    propiedades: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MensajeDeOtraVersion:
    """Un comando escrito con un esquema que esta versión no conoce: ni se asienta ni se condena, espera.

    Puede llevar un campo que decida a quién se paga; registrarlo sin él lo perdería para siempre.
    """

    identidad: IdentidadComando
    clave: str | None
    publicado_en: datetime
    huella_esquema: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenglonBalance:
    """Cuántos comandos de un tópico acabaron en un destino, y el `recibido_en` del más nuevo de ellos."""

    topico: str
    estado: str
    motivo: str | None
    cuantos: int
    procesado_hasta: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EnviosPendientes:
    """Cuántos mensajes esperan en la bandeja de salida, y desde cuándo el más antiguo."""

    cuantos: int
    desde: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CuentaDeClics:
    """Los clics y píxeles que el broker no confirmó a tiempo, en la carpeta de datos de quien responde.

    Attributes:
        en_espera: los que están guardados y se enviarán.
        perdidos: los que ni el broker ni el disco guardaron, desde que la carpeta existe.
    """

    en_espera: int
    perdidos: int


class DestinoDeComando(NamedTuple):
    """El destino de un comando; `evento_id` es el `id` por el que se podrá preguntar, si lo hubo.

    `campaña_id` e `influencer_id` son los que se enviaron, si podían serlo. `enviado` es lo que dijo el
    cliente y no está ya en una fila del libro, por su nombre en el JSON: todo lo de un rechazo, y de un
    duplicado solo aquello en que difiere. Se guarda un tiempo; después, y en lo registrado, es `None`.
    """

    identidad: IdentidadComando
    evento_id: str | None
    recibido_en: datetime
    decidido_en: datetime
    destino: Destino
    campaña_id: str | None = None
    influencer_id: str | None = None
    enviado: Mapping[str, Any] | None = None


class Sobre(NamedTuple):
    """Un mensaje listo para publicar; `topico` es el nombre corto, sin espacio de nombres."""

    topico: str
    clave: str | None
    propiedades: dict[str, str]
    carga: bytes


class EventoNumerado(NamedTuple):
    """Un evento de dominio, el número de llegada de su fila y la traza del comando que lo causó."""

    numero: int
    evento: EventoDominio[Any]
    traza: str | None


class Envio(NamedTuple):
    """Un sobre pendiente, y dónde está hasta que se publique.

    Un evento de dominio es su propia fila: `carril` es el de ella y `numero`, el de su llegada. Una carta
    muerta está en la bandeja de salida, que la conoce por su `numero`, único para siempre, y no tiene carril.
    `anterior` es el número de la fila que va delante en su carril; 0, si es la primera.
    """

    numero: int
    sobre: Sobre
    carril: int | None = None
    anterior: int = 0


class LoteAsentado(NamedTuple):
    """Lo que una transacción hizo con un lote: los destinos que decidió y los envíos que dejó pendientes.

    Son de quien la ejecutó, que los publica tras su commit; los de un carril, por orden de llegada.
    """

    destinos: list[DestinoDeComando]
    envios: Sequence[Envio] = ()
