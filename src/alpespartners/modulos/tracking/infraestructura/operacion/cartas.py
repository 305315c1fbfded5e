"""Las cartas muertas: leer por qué un mensaje no se pudo descifrar y, tras una reparación, enviarlo otra vez.

Qué es: lo que usa una persona ante un mensaje ilegible. Reinyectar publica un comando nuevo con los mismos
octetos, que nombra al anterior y cuya identidad sale de la de aquel: así se sabe también qué fue de él.
Qué no es: automático; nada se reinyecta solo, porque un mensaje ilegible sigue siéndolo hasta que alguien
repare el programa, el tópico o la propiedad que lo hacía ilegible.
Por qué existe: lo que alguien envió no se tira, y repararlo no puede contarlo dos veces: reinyectar la misma
carta cuantas veces se quiera es siempre el mismo comando.
"""

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Final
from uuid import UUID, uuid5

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.aplicacion.mensajes import ComandoRecibido, Sobre
from alpespartners.modulos.tracking.aplicacion.puertos import BrokerNoDisponible, Consulta
from alpespartners.modulos.tracking.dominio.destinos import Destino, Registrada
from alpespartners.modulos.tracking.dominio.objetos_valor import id_consultable
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import (
    PROPIEDAD_CLAVE,
    PROPIEDAD_COMANDO,
    PROPIEDAD_DETALLE,
    PROPIEDAD_RECORTADA,
    PROPIEDAD_TOPICO,
    SUFIJO_CARTAS,
    abrir_comando,
)
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar, FalloDelBroker

PROPIEDAD_REINYECTA: Final = "alpes_reinyecta"
"""La propiedad con que un comando nombra a la carta de la que salió: su `comando_id` anterior."""

# De aquí sale la identidad de lo reinyectado: cambiarlo contaría otra vez lo que ya se reinyectó.
_ESPACIO = UUID("0d7a2f56-5c0e-5f0b-8a43-7d1f6a2f9c11")
_PROPIAS = "alpes_"
_LIMITE_DE_ENVIO = 30.0
_EN_CURSO = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Carta:
    """Una carta muerta: los octetos y propiedades del mensaje original, y por qué acabó aquí."""

    topico: str
    comando_id: str
    detalle: str
    clave: str | None
    publicado_en: datetime
    recortada: bool
    carga: bytes
    propiedades: dict[str, str]


def leer_cartas(cliente: ClientePulsar, topicos: Iterable[str]) -> Generator[Carta]:
    """Recorre las cartas de esos tópicos de comandos, de la más antigua a la más nueva, sin consumirlas.

    Raises:
        BrokerNoDisponible: el broker no responde.
    """
    try:
        for topico in topicos:
            with closing(cliente.leer(topico + SUFIJO_CARTAS)) as mensajes:
                for mensaje in mensajes:
                    propias = mensaje.propiedades
                    yield Carta(
                        topico=propias.get(PROPIEDAD_TOPICO, topico),
                        comando_id=propias.get(PROPIEDAD_COMANDO, ""),
                        detalle=propias.get(PROPIEDAD_DETALLE, ""),
                        clave=propias.get(PROPIEDAD_CLAVE),
                        publicado_en=mensaje.publicado_en,
                        recortada=PROPIEDAD_RECORTADA in propias,
                        carga=mensaje.carga or b"",
                        propiedades={
                            nombre: valor
                            for nombre, valor in propias.items()
                            if not nombre.startswith(_PROPIAS)
                        },
                    )
    except FalloDelBroker as fallo:
        raise BrokerNoDisponible(str(fallo)) from fallo


@dataclass(frozen=True, slots=True)
class Reinyeccion:
    """En qué acabó el comando que salió de una carta, en el tópico al que se envió."""

    topico: str
    evento_id: str | None
    destino: Destino


def reinyecciones(carta: Carta, consulta: Consulta) -> list[Reinyeccion]:
    """Devuelve lo que fue de esa carta en cada tópico al que se reinyectó y donde ya tiene destino.

    De una que nadie reinyectó no hay nada, ni de una reinyectada que aún espera en el tópico.
    """
    return [
        reinyeccion
        for clase in CLASES
        for reinyeccion in (() if carta.recortada else _en_el_topico(carta, clase, consulta))
    ]


def _en_el_topico(carta: Carta, clase: Clase, consulta: Consulta) -> Iterator[Reinyeccion]:
    sobre = sobre_reinyectado(carta, clase.topico, carta.propiedades)
    comando_id = sobre.propiedades["ce_id"]
    for anotado in consulta.destinos.de_comandos(clase.topico, [comando_id]):
        yield Reinyeccion(clase.topico, anotado.evento_id, anotado.destino)
    # Al reinyectarla pudo quitarse qué esquema la escribió. Lo que no se puede abrir de ninguno de los dos
    # modos no puede estar en el libro, que se lee por el `id` del evento.
    esquema = {n: v for n, v in carta.propiedades.items() if n == "ce_dataschema"}
    abiertas = (_id_que_lleva(clase, sobre, carta, propias) for propias in ({}, esquema))
    ids = {evento_id for evento_id in abiertas if evento_id is not None}
    registrados = consulta.eventos(clase).obtener(ids) if ids else {}
    for evento_id, evento in registrados.items():
        if evento.comando_id == comando_id:
            yield Reinyeccion(clase.topico, evento_id, Registrada())


def _id_que_lleva(clase: Clase, sobre: Sobre, carta: Carta, propias: Mapping[str, str]) -> str | None:
    """El `id` de su comando si se abre con esas propiedades; `None` si no es uno de esa clase."""
    abierta = abrir_comando(
        clase.topico,
        carga=sobre.carga,
        propiedades={**sobre.propiedades, **propias},
        clave=sobre.clave,
        publicado_en=carta.publicado_en,
        posicion="",
        epoca=_ESPACIO,
    )
    return id_consultable(abierta.comando.id) if isinstance(abierta, ComandoRecibido) else None


def sobre_reinyectado(carta: Carta, topico: str, quitar: Collection[str]) -> Sobre:
    """Prepara el comando nuevo de una carta para ese tópico, sin las propiedades que se pide quitar.

    Raises:
        ValueError: la carta está recortada; sus octetos ya no son los del mensaje.
    """
    if carta.recortada:
        raise ValueError("la carta está recortada")
    huella = blake2b(carta.carga, digest_size=16).hexdigest()
    propiedades = {nombre: valor for nombre, valor in carta.propiedades.items() if nombre not in quitar}
    propiedades["ce_id"] = str(uuid5(_ESPACIO, f"{topico}\n{carta.comando_id}\n{huella}"))
    propiedades[PROPIEDAD_REINYECTA] = carta.comando_id
    return Sobre(topico, carta.clave, propiedades, carta.carga)


def reinyectar(cliente: ClientePulsar, topico: str, sobres: Iterable[Sobre]) -> int:
    """Publica los sobres en el tópico y devuelve cuántos; vuelve cuando el broker los confirmó todos.

    Raises:
        BrokerNoDisponible: alguno no se confirmó; repetir la orden es seguro.
    """
    confirmados: list[bool] = []
    enviados = 0
    try:
        productor = cliente.productor(
            topico, por_clave=False, limite=_LIMITE_DE_ENVIO, maximo_en_curso=_EN_CURSO
        )
        try:
            for sobre in sobres:
                productor.enviar(sobre, confirmados.append)
                enviados += 1
                if enviados % _EN_CURSO == 0:
                    productor.vaciar()
            productor.vaciar()
        finally:
            productor.cerrar()
    except FalloDelBroker as fallo:
        raise BrokerNoDisponible(str(fallo)) from fallo
    if confirmados != [True] * enviados or not cliente.hay_sitio():
        raise BrokerNoDisponible
    return enviados
