"""`POST /tracking/…`: de una petición a un comando confirmado por el broker y, si se prefiere, a su destino.

Qué es: los pasos 1 a 4 del flujo vistos desde HTTP, y la espera de `Prefer: wait=N`.
Qué no es: reglas de los datos (dominio) ni la vigilancia de lo que se espera (`aplicacion/esperas.py`).
Por qué existe: un 202 es una promesa; sale solo cuando el broker confirmó el comando. Quien espera y no
recibe el destino a tiempo recibe esa misma promesa.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import quote

from alpespartners.api.http.cuerpo import leer_cuerpo
from alpespartners.api.http.parametros import leer_parametros
from alpespartners.api.http.peticion import ClienteAusente, Peticion
from alpespartners.api.http.preferencias import espera_preferida
from alpespartners.api.http.problemas import almacenamiento_lleno, broker_no_disponible, envio_negado
from alpespartners.api.http.respuesta import Respuesta
from alpespartners.api.http.rutas import Atencion
from alpespartners.api.tracking.presentacion import en_json, recurso
from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.esperas import Asentado, Desenlace, Esperas
from alpespartners.modulos.tracking.aplicacion.puertos import (
    AlmacenamientoLleno,
    BrokerNoDisponible,
    DespachadorComandos,
)
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, DatosInvalidos, Fallo, Recolector
from alpespartners.seedwork.json_estricto import leer_json

_NO_RESERVADOS: Final = re.compile(r"[A-Za-z0-9_.~-]+")
"""De una URL (RFC 3986 §2.3): lo que no se codifica."""


class ComandoDelCuerpo(Protocol):
    """Cómo se hace un comando con el cuerpo de un envío."""

    def __call__(
        self, cuerpo: Mapping[str, object], *, id_asignado: Callable[[], str], recibido_en: datetime
    ) -> Comando:
        """Devuelve el comando, o lanza `DatosInvalidos` con todas las faltas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envios:
    """Los dos puntos de envío: a quién publican, dónde esperan y de dónde salen la hora y los ids."""

    despachador: DespachadorComandos
    esperas: Esperas
    reloj: Callable[[], datetime]
    nuevo_id: Callable[[], str]
    segundos_de_cuerpo: float

    def atencion(self, ruta: str, clase: Clase, comando_de: ComandoDelCuerpo) -> Atencion:
        """Quién atiende los envíos de una clase; `ruta` es la de sus recursos."""

        async def atender(peticion: Peticion, _variables: Sequence[str]) -> Respuesta:
            faltas = _faltas_de_los_parametros(peticion)
            cuerpo = leer_json(await leer_cuerpo(peticion, self.segundos_de_cuerpo))
            comando = _comando(cuerpo, comando_de, faltas, self.nuevo_id, self.reloj())
            comando_id = self.nuevo_id()
            try:
                await self.despachador.publicar(comando, comando_id=comando_id, traza=peticion.traza)
            except AlmacenamientoLleno:
                raise almacenamiento_lleno(comando.id) from None
            except BrokerNoDisponible:
                raise broker_no_disponible(comando.id) from None
            envio = _Envio(clase, ruta, comando, comando_id)
            preferencias = peticion.cabecera(b"prefer")
            segundos = espera_preferida([p.decode("latin-1") for p in preferencias]) if preferencias else None
            return envio.aceptado() if segundos is None else await self._esperar(envio, peticion, segundos)

        return atender

    async def _esperar(self, envio: "_Envio", peticion: Peticion, segundos: int) -> Respuesta:
        """La respuesta con el destino, si llega en ese tiempo; si no, la de aceptado."""
        desenlace = None
        if segundos:
            with self.esperas.apuntar(envio.clase, envio.evento_id, envio.comando_id) as futuro:
                if futuro is None or not await _en_el_plazo(futuro, peticion, segundos):
                    return envio.aceptado()
                if futuro.done():
                    desenlace = futuro.result()
        respuesta = envio.aceptado() if desenlace is None else envio.decidido(desenlace)
        respuesta.poner("Preference-Applied", f"wait={segundos}")
        return respuesta


class _Envio(NamedTuple):
    """Un envío que el broker ya confirmó, y las respuestas que puede tener."""

    clase: Clase
    ruta: str
    comando: Comando
    comando_id: str

    @property
    def evento_id(self) -> str:
        return self.comando.id or ""

    @property
    def _direccion(self) -> dict[str, str]:
        return {"Location": f"{self.ruta}/{_en_una_url(self.evento_id)}"}

    def aceptado(self) -> Respuesta:
        cuerpo = {
            "id": self.evento_id,
            "estado": "ACEPTADA",
            "comando_id": self.comando_id,
            "advertencias": self.comando.advertencias,
        }
        return Respuesta(en_json(cuerpo), 202, cabeceras=self._direccion)

    def decidido(self, desenlace: Desenlace) -> Respuesta:
        """201 si lo registró este comando, 200 si ya estaba igual, y si no el problema que lo explica."""
        if not isinstance(desenlace, Asentado):
            return envio_negado(desenlace, self.evento_id, self.comando_id).respuesta()
        cuerpo = en_json(recurso(desenlace.evento))
        if desenlace.es_nuevo:
            return Respuesta(cuerpo, 201, cabeceras=self._direccion)
        return Respuesta(cuerpo)


async def _en_el_plazo(futuro: asyncio.Future[Desenlace], peticion: Peticion, segundos: int) -> bool:
    """Espera el desenlace como mucho ese tiempo; `False` si el servidor se cierra antes.

    Raises:
        ClienteAusente: quien esperaba se fue.
    """
    se_fue = asyncio.create_task(_desconexion(peticion))
    esperados: set[asyncio.Future[Any]] = {futuro, se_fue}
    try:
        await asyncio.wait(esperados, timeout=segundos, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        # El servidor se cierra y no concede más tiempo; el comando está a salvo, y eso aún se puede decir.
        return False
    finally:
        se_fue.cancel()
    if se_fue.done() and not futuro.done():
        raise ClienteAusente
    return True


async def _desconexion(peticion: Peticion) -> None:
    while (await peticion.recibir())["type"] != "http.disconnect":
        pass


def _en_una_url(identificador: str) -> str:
    return identificador if _NO_RESERVADOS.fullmatch(identificador) else quote(identificador, safe="")


def _faltas_de_los_parametros(peticion: Peticion) -> Sequence[Fallo]:
    cadena = peticion.scope["query_string"]
    if not cadena:
        return ()
    recolector = Recolector()
    leer_parametros(cadena, (), recolector)
    return recolector.fallos


def _comando(
    cuerpo: object,
    comando_de: ComandoDelCuerpo,
    faltas: Sequence[Fallo],
    nuevo_id: Callable[[], str],
    recibido_en: datetime,
) -> Comando:
    if not isinstance(cuerpo, dict):
        falta = Fallo("", Codigo.TIPO_INCORRECTO, "el cuerpo debe ser un objeto JSON")
        raise DatosInvalidos([*faltas, falta])
    try:
        comando = comando_de(cuerpo, id_asignado=nuevo_id, recibido_en=recibido_en)
    except DatosInvalidos as invalidos:
        raise DatosInvalidos([*faltas, *invalidos.fallos]) from None
    if faltas:
        raise DatosInvalidos(faltas)
    return comando
