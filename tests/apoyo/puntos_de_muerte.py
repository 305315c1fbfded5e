"""Un proceso de consumidores que muere justo antes de su paso número tal, y un broker que le sobrevive.

Un paso es cada llamada a la transacción, cada commit, cada confirmación y cada publicación. Quien ha muerto
no da ninguno más: lo que quede de él en memoria no cambia ni la base de datos ni el broker.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from alpespartners.composicion.adaptadores import CUENTAS
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import Sobre
from alpespartners.modulos.tracking.infraestructura.consumo.ritmo import RitmoDelRelevo
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import (
    MensajeRecibido,
    Productor,
    Suscripcion,
)
from alpespartners.modulos.tracking.infraestructura.pulsar.publicador import RitmoDelPublicador
from alpespartners.modulos.tracking.infraestructura.repositorios import TransaccionSQL
from tests.apoyo.base_datos import sql
from tests.apoyo.consumo import ConsumoDePrueba
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.por_publicar import CUANTO
from tests.apoyo.pulsar_falso import Aviso, ClienteFalso, ProductorFalso, SuscripcionFalsa

T = TypeVar("T")

# Quien muere no espera respuestas; esto solo acorta el desmontaje de lo que quedó en memoria.
_RITMO = RitmoDelRelevo(cada_retirada=0.0, publicador=RitmoDelPublicador(espera_de_avisos=0.01))


class Muerte(BaseException):
    """El proceso murió; nada del programa debe atraparla."""


class Vida:
    """Los pasos de un proceso, que muere justo antes del que se le diga."""

    def __init__(self, muere_antes_de: int | None) -> None:
        self._muere_antes_de = muere_antes_de
        self._turno = threading.Lock()
        self.pasos: list[str] = []
        self.muerta = threading.Event()

    def paso(self, nombre: str) -> None:
        with self._turno:
            if self.muerta.is_set():
                raise Muerte
            self.pasos.append(nombre)
            if len(self.pasos) - 1 == self._muere_antes_de:
                self.muerta.set()
                raise Muerte


@dataclass
class BrokerQueSobrevive:
    """Lo que el broker y el disco conservan de una vida a otra."""

    mensajes: list[MensajeRecibido]
    confirmados: set[str] = field(default_factory=set)
    publicados: list[Sobre] = field(default_factory=list)
    en_mano: BytesIO = field(default_factory=BytesIO)

    @property
    def sin_confirmar(self) -> list[MensajeRecibido]:
        return [mensaje for mensaje in self.mensajes if mensaje.posicion not in self.confirmados]


class _Suscripcion(SuscripcionFalsa):
    def __init__(self, broker: BrokerQueSobrevive, vida: Vida) -> None:
        super().__init__()
        self._broker = broker
        self._vida = vida
        self.mensajes.extend(broker.sin_confirmar)

    def confirmar(self, mensajes: Sequence[MensajeRecibido]) -> None:
        for mensaje in mensajes:
            self._vida.paso("confirmar un mensaje")
            self._broker.confirmados.add(mensaje.posicion)


class _Productor(ProductorFalso):
    def __init__(self, broker: BrokerQueSobrevive, vida: Vida) -> None:
        super().__init__()
        self._broker = broker
        self._vida = vida

    def enviar(self, sobre: Sobre, al_saber: Aviso, *, solo: bool = False) -> None:
        del solo
        self._vida.paso("publicar")
        self._broker.publicados.append(sobre)
        self._vida.paso("saber que el broker lo tiene")
        al_saber(True)  # noqa: FBT003


class _Cliente(ClienteFalso):
    def __init__(self, broker: BrokerQueSobrevive, vida: Vida) -> None:
        super().__init__()
        self._broker = broker
        self._vida = vida

    def suscribir(self, topico: str) -> Suscripcion:
        del topico
        return _Suscripcion(self._broker, self._vida)

    def productor(self, topico: str, **_ajustes: Any) -> Productor:
        del topico
        return _Productor(self._broker, self._vida)


class _ConPasos:
    """Una parte de la transacción: cada llamada a ella es un paso."""

    def __init__(self, nombre: str, parte: object, vida: Vida) -> None:
        self._nombre = nombre
        self._parte = parte
        self._vida = vida

    def __getattr__(self, metodo: str) -> Any:
        atributo = getattr(self._parte, metodo)
        if not callable(atributo):
            return atributo

        def llamar(*argumentos: Any) -> Any:
            self._vida.paso(f"{self._nombre}.{metodo}")
            return atributo(*argumentos)

        return llamar


class _Transaccion:
    def __init__(self, transaccion: TransaccionSQL, vida: Vida) -> None:
        for nombre in ("destinos", "clics", "bandeja", "proyeccion", "balance", "carriles"):
            setattr(self, nombre, _ConPasos(nombre, getattr(transaccion, nombre), vida))
        self._transaccion = transaccion
        self._vida = vida

    def eventos(self, clase: Clase) -> Any:
        return _ConPasos(clase.plural, self._transaccion.eventos(clase), self._vida)


class _Libro(LibroSQLite):
    def __init__(self, datos: Path, vida: Vida) -> None:
        super().__init__(datos, proyectar=CUENTAS)
        self._vida = vida

    async def ejecutar(self, trabajo: Callable[[Any], T]) -> T:
        def con_pasos(transaccion: TransaccionSQL) -> T:
            resultado = trabajo(_Transaccion(transaccion, self._vida))
            self._vida.paso("commit")
            return resultado

        self._vida.paso("empezar una transacción")
        resultado = await super().ejecutar(con_pasos)
        self._vida.paso("seguir tras el commit")
        return resultado


async def vivir(datos: Path, broker: BrokerQueSobrevive, muere_antes_de: int | None = None) -> Vida:
    """Consume y publica hasta morir, o hasta que no quede nada por hacer y se le pida terminar."""
    vida = Vida(muere_antes_de)
    libro = _Libro(datos, vida)
    libro.abrir()
    cliente = _Cliente(broker, vida)
    broker.en_mano.seek(0)
    parar = asyncio.Event()
    trabajo = asyncio.create_task(
        ConsumoDePrueba(
            cliente=cliente,
            manejadores=[ManejadorDeRegistro(clases.IMPRESIONES)],
            libro=libro,
            archivo=broker.en_mano,
            ritmo_del_relevo=_RITMO,
        )
        .consumidores()
        .trabajar(parar)
    )

    def en_calma() -> bool:
        return not broker.sin_confirmar and sql(datos, CUANTO) == [(0,)]

    await hasta_en_el_bucle(lambda: vida.muerta.is_set() or en_calma())
    if vida.muerta.is_set():
        trabajo.cancel()
        await asyncio.gather(trabajo, return_exceptions=True)
    else:
        parar.set()
        # También se puede morir mientras se termina.
        with suppress(Muerte):
            await trabajo
    libro.cerrar()
    return vida
