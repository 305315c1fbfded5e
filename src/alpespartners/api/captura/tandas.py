"""Recepción de muchos elementos en tandas, según se leen.

Qué es: de los octetos de cada elemento, en el orden en que llegan, al resultado de cada uno. Mientras una
tanda se publica se lee la siguiente.
Qué no es: la lectura del cuerpo ni su separación en elementos, que pueden fallar a la mitad; lo recibido
hasta entonces vale.
Por qué existe: de un lote solo están en la memoria las tandas que esperan al broker, por grande que sea.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from typing import Any, Final

from alpespartners.api.captura.resultados import Elemento, ElementoAceptado, resultado
from alpespartners.api.http.limites import DE_UN_EVENTO
from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.puertos import BrokerNoDisponible
from alpespartners.modulos.tracking.aplicacion.recepcion import (
    Aceptada,
    Entrada,
    NoValida,
    SinConfirmar,
    Suerte,
)
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, Fallo
from alpespartners.seedwork.json_estricto import JsonIlegible, leer_json
from alpespartners.seedwork.json_por_partes import contar_signos

OCTETOS_DE_UN_ELEMENTO: Final = DE_UN_EVENTO.octetos + 128
"""Los de un envío y, además, lo que no llevaría solo: su `clase`, y el `id` que se le pone para repetirlo."""
SIGNOS_DE_UN_ELEMENTO: Final = 32 * 1024
"""Comas, dos puntos y aperturas que se leen de una vez: con más, cada parte mide menos de dos octetos."""
ELEMENTOS_DE_UNA_TANDA: Final = 100
OCTETOS_DE_UNA_TANDA: Final = 256 * 1024
EN_VUELO_MAXIMO: Final = 2

Recibir = Callable[
    [Iterable[Entrada | NoValida], Mapping[Clase, BrokerNoDisponible]], Coroutine[Any, Any, list[Suerte]]
]
"""Da la suerte de unas entradas, en su orden; las de una clase con causa, no intenta publicarlas."""

Leer = Callable[[object], Entrada | NoValida]

_CLASES: Final = {clase.nombre: clase for clase in CLASES}


class Tandas:
    """Las de un lote. Tras un fallo o una cancelación se cierra con `abandonar`.

    Args:
        recibir: quien las recibe.
        leer: de un elemento, leído ya su JSON, a su entrada.

    Attributes:
        elementos: los resultados de los que ya se sabe, en su orden.
        aceptados: de los que guardó el broker, su clase.
    """

    def __init__(self, recibir: Recibir, leer: Leer) -> None:
        self._recibir = recibir
        self._leer = leer
        self._tanda: list[bytes | NoValida] = []
        self._octetos_de_tanda = 0
        self._en_vuelo: deque[asyncio.Task[list[Suerte]]] = deque()
        self._causas: dict[Clase, BrokerNoDisponible] = {}
        """De cada clase que ya no se intenta publicar, por qué."""
        self.cuantos = 0
        """Los agregados."""
        self.octetos = 0
        """Los de todos ellos."""
        self.signos = 0
        """Comas, dos puntos y aperturas de los que se leen."""
        self.elementos: list[Elemento] = []
        self.aceptados: list[tuple[ElementoAceptado, Clase]] = []

    async def agregar(self, octetos: bytes | None) -> None:
        """Recibe un elemento, o `None` si no cabía; espera solo si ya hay bastantes tandas en vuelo."""
        self.cuantos += 1
        self.octetos += len(octetos or b"")
        self._octetos_de_tanda += len(octetos or b"")
        signos = contar_signos(octetos or b"")
        if octetos is None:
            self._tanda.append(_demasiado_grande(f"pasa de {DE_UN_EVENTO.octetos // 1024} KiB"))
        elif signos > SIGNOS_DE_UN_ELEMENTO:
            partes = f"{SIGNOS_DE_UN_ELEMENTO} comas, dos puntos, corchetes y llaves"
            self._tanda.append(_demasiado_grande(f"lleva más de {partes}"))
        else:
            self._tanda.append(octetos)
            self.signos += signos
        if len(self._tanda) >= ELEMENTOS_DE_UNA_TANDA or self._octetos_de_tanda >= OCTETOS_DE_UNA_TANDA:
            await self._enviar()

    async def acabar(self) -> list[Elemento]:
        """Vuelve cuando se sabe qué fue de todos, con su resultado."""
        if self._tanda:
            await self._enviar()
        while self._en_vuelo:
            await self._recoger()
        return self.elementos

    def abandonar(self) -> None:
        """Deja de esperar. Lo que ya se publicó, publicado queda."""
        for tarea in self._en_vuelo:
            tarea.cancel()

    async def _enviar(self) -> None:
        while len(self._en_vuelo) >= EN_VUELO_MAXIMO:
            await self._recoger()
        tanda, self._tanda, self._octetos_de_tanda = self._tanda, [], 0
        leida = asyncio.Event()
        tarea = asyncio.create_task(self._recibir(self._entradas(tanda, leida), self._causas))
        tarea.add_done_callback(lambda _: leida.set())
        self._en_vuelo.append(tarea)
        # Se juzga con pausas, y la siguiente no debe adelantarse: de dos con un mismo `id` vale el primero.
        await leida.wait()

    async def _recoger(self) -> None:
        """Espera la más antigua."""
        suertes = await self._en_vuelo[0]
        self._en_vuelo.popleft()
        for indice, suerte in enumerate(suertes, len(self.elementos)):
            elemento = resultado(indice, suerte)
            self.elementos.append(elemento)
            if isinstance(suerte, Aceptada) and isinstance(elemento, ElementoAceptado):
                self.aceptados.append((elemento, suerte.clase))
        # Si no se confirma nada de una clase, cada tanda lo esperaría otra vez.
        confirmadas = {suerte.clase for suerte in suertes if isinstance(suerte, Aceptada)}
        for suerte in suertes:
            if isinstance(suerte, SinConfirmar) and suerte.clase not in confirmadas:
                self._causas[suerte.clase] = suerte.causa

    def _entradas(
        self, tanda: Iterable[bytes | NoValida], leida: asyncio.Event
    ) -> Iterator[Entrada | NoValida]:
        """Las de una tanda, cada una cuando se pide; dice cuándo no quedan."""
        yield from map(self._entrada, tanda)
        leida.set()

    def _entrada(self, llegado: bytes | NoValida) -> Entrada | NoValida:
        if isinstance(llegado, NoValida):
            return llegado
        try:
            elemento = leer_json(llegado)
        except JsonIlegible as ilegible:
            # La frase dice «El cuerpo …», y aquí es uno de muchos.
            frase = f"el elemento{str(ilegible).removeprefix('El cuerpo').rstrip('.')}"
            return _no_vale("", CodigoDePeticion.ELEMENTO_ILEGIBLE, frase)
        return self._leer(elemento)


def entrada_con_clase(elemento: object) -> Entrada | NoValida:
    """La de un elemento que dice su clase entre sus campos."""
    if not isinstance(elemento, dict):
        return _no_vale("", CodigoDePeticion.TIPO_INCORRECTO, "debe ser un objeto JSON")
    nombrada = elemento.pop("clase", None)
    clase = _CLASES.get(nombrada) if type(nombrada) is str else None
    if clase is not None:
        return Entrada(clase, elemento)
    if nombrada is None:
        return _no_vale("clase", Codigo.REQUERIDO, f"es obligatoria: {' o '.join(_CLASES)}")
    return _no_vale("clase", Codigo.VALOR_NO_PERMITIDO, f"debe ser {' o '.join(_CLASES)}")


def _demasiado_grande(mensaje: str) -> NoValida:
    return _no_vale("", CodigoDePeticion.ELEMENTO_DEMASIADO_GRANDE, mensaje)


def _no_vale(campo: str, codigo: CodigoDePeticion | Codigo, mensaje: str) -> NoValida:
    return NoValida([Fallo(campo, codigo, mensaje)])
