"""Lo que un Apache Pulsar tiene que tener puesto, preguntado a su administración (REST v2).

Qué es: si la retención de los tópicos basta, si existen las suscripciones que guardan lo que nadie ha leído
y, más o menos, cuánto guardan.
Qué no es: quien lo pone; eso es de quien administra el broker. Ni una condición para aceptar eventos.
Por qué existe: sin retención, Pulsar borra un evento en cuanto nadie lo espera; sin suscripción, un comando.
Las dos cosas se descubren cuando ya falta algo, si nadie las mira antes.
"""

import asyncio
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import structlog

from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.puertos import EstadoDelBroker
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import SUFIJO_CARTAS
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import SUSCRIPCION, SUSCRIPCION_CARTAS
from alpespartners.modulos.tracking.infraestructura.pulsar.confirmado import Confirmado, ConfirmadoDeParticion

DIAS_DE_RETENCION: Final = 7

_COMANDOS: Final = [clase.topico for clase in CLASES]
_CON_RETENCION: Final = [*_COMANDOS, *(clase.topico_de_eventos for clase in CLASES)]
_MINUTOS: Final = DIAS_DE_RETENCION * 24 * 60
_SIN_LIMITE: Final = -1
_LIMITE: Final = 2.0
_LIMITE_DE_CURSORES: Final = 30.0
_MAXIMO_OCTETOS: Final = 1024 * 1024
_VALE_DURANTE: Final = 30.0
_CADA: Final = 0.5

_registro: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Revision:
    """Lo que se encontró.

    Attributes:
        estado: en una palabra cada cosa.
        faltas: por cada carencia, una frase que dice qué hacer.
    """

    estado: EstadoDelBroker
    faltas: tuple[str, ...] = ()


DESCONOCIDO: Final = Revision(EstadoDelBroker(retencion="desconocida", suscripciones="desconocidas"))


class RevisorDelBroker:
    """Pregunta a la administración de un Apache Pulsar y recuerda la respuesta medio minuto.

    Args:
        url: `http://…` o `https://…`, la de su administración.
        espacio: inquilino y espacio de nombres de los tópicos.
        token: con el que se identifica, si lo pide.
        ca: certificados con los que comprobarla; sin ellos, los de costumbre.
    """

    def __init__(self, url: str, *, espacio: str, token: str | None, ca: Path | None) -> None:
        self._raiz = f"{url.rstrip('/')}/admin/v2"
        self._espacio = espacio
        self._cabeceras = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._cifrado = ssl.create_default_context(cafile=None if ca is None else str(ca))
        self._turno = asyncio.Lock()
        self._ultima = DESCONOCIDO
        self._revisada_en = float("-inf")

    async def estado(self) -> EstadoDelBroker:
        """Lo último que se sabe; como mucho tiene medio minuto, y nunca lanza."""
        return (await self.revision()).estado

    async def revision(self) -> Revision:
        """Como `estado`, con las frases de lo que falta."""
        async with self._turno:
            if time.monotonic() - self._revisada_en > _VALE_DURANTE:
                self._ultima = await asyncio.to_thread(self._revisar)
                self._revisada_en = time.monotonic()
            return self._ultima

    async def avisar(self, listo: Callable[[], bool]) -> None:
        """Deja en el registro lo que falta, una vez, cuando el proceso ya hizo lo que le toca.

        Args:
            listo: si ya hay conexión con el broker; antes, lo que este proceso crea todavía no está.
        """
        while not listo():  # noqa: ASYNC110 (quien se conecta no tiene un suceso que esperar)
            await asyncio.sleep(_CADA)
        revision = await self.revision()
        for falta in revision.faltas:
            _registro.warning(falta)
        if revision is DESCONOCIDO:
            _registro.warning("no se pudo preguntar a la administración de Pulsar; revise ALPES_PULSAR_ADMIN")

    def confirmado(self, topico: str) -> Confirmado | None:
        """Hasta dónde está confirmado un tópico de comandos, o nada si no se puede saber."""
        ruta = f"persistent/{self._espacio}/{quote(topico)}"
        plazo = time.monotonic() + _LIMITE_DE_CURSORES
        try:
            particiones = (self._preguntar(f"{ruta}/partitions", plazo) or {}).get("partitions", 0)
            rutas = [f"{ruta}-partition-{numero}" for numero in range(particiones)] or [ruta]
            estados = [self._preguntar(f"{suya}/internalStats", plazo) for suya in rutas]
            return Confirmado(
                ConfirmadoDeParticion.de_pulsar(estado["cursors"][SUSCRIPCION]) for estado in estados
            )
        except (OSError, HTTPException, ValueError, LookupError, TypeError, AttributeError) as error:
            _registro.warning(
                "no se sabe qué está confirmado; se supondrá por la hora",
                topico=topico,
                error=type(error).__name__,
            )
            return None

    def _revisar(self) -> Revision:
        # Uno para todas las preguntas: quien pide la salud espera a la última.
        plazo = time.monotonic() + _LIMITE
        try:
            sin_retencion = [topico for topico in _CON_RETENCION if not self._retencion_basta(topico, plazo)]
            sin_suscripcion = list(self._suscripciones_que_faltan(plazo))
        except (OSError, HTTPException, ValueError, LookupError, TypeError) as error:
            # También si responde algo que no es Pulsar.
            _registro.debug("sin respuesta de la administración de Pulsar", error=type(error).__name__)
            return DESCONOCIDO
        en_espera = None if sin_suscripcion else self._en_espera(plazo)
        faltas = [
            f"la retención de {topico} es menor de {DIAS_DE_RETENCION} días o tiene un máximo de tamaño: "
            f"pulsar-admin namespaces set-retention {self._espacio} --time {DIAS_DE_RETENCION}d --size -1"
            for topico in sin_retencion
        ] + [
            f"a {topico} le falta la suscripción {suscripcion}, y lo que se publique puede perderse: "
            "arranque la API o un consumidor, que la crean"
            for topico, suscripcion in sin_suscripcion
        ]
        return Revision(
            EstadoDelBroker(
                retencion="insuficiente" if sin_retencion else "suficiente",
                suscripciones="faltan" if sin_suscripcion else "presentes",
                en_espera=en_espera,
            ),
            tuple(faltas),
        )

    def _retencion_basta(self, topico: str, plazo: float) -> bool:
        """La que rige en el tópico o, si aún no existe, la que tendrá."""
        regla = (
            self._preguntar(f"persistent/{self._espacio}/{quote(topico)}/retention?applied=true", plazo)
            or self._preguntar(f"namespaces/{self._espacio}/retention", plazo)
            or self._retencion_por_omision(plazo)
        )
        if regla is None:
            return False
        minutos = int(regla["retentionTimeInMinutes"])
        return int(regla["retentionSizeInMB"]) == _SIN_LIMITE and (
            minutos == _SIN_LIMITE or minutos >= _MINUTOS
        )

    def _retencion_por_omision(self, plazo: float) -> dict[str, str] | None:
        """La que el broker da a quien no tiene otra; nada si solo la enseña a quien lo administra."""
        try:
            ajustes = self._preguntar("brokers/configuration/runtime", plazo)
        except urllib.error.HTTPError:
            return None
        return {
            nombre: ajustes[f"defaultR{nombre[1:]}"]
            for nombre in ("retentionTimeInMinutes", "retentionSizeInMB")
        }

    def _suscripciones_que_faltan(self, plazo: float) -> Iterator[tuple[str, str]]:
        for topico in _COMANDOS:
            for nombre, suscripcion in (
                (topico, SUSCRIPCION),
                (topico + SUFIJO_CARTAS, SUSCRIPCION_CARTAS),
            ):
                hay = self._preguntar(f"persistent/{self._espacio}/{quote(nombre)}/subscriptions", plazo)
                if suscripcion not in (hay or ()):
                    yield nombre, suscripcion

    def _en_espera(self, plazo: float) -> dict[str, int] | None:
        """Lo que su suscripción no ha confirmado de cada tópico de comandos; nada si no se pudo saber."""
        try:
            return {topico: self._atraso(topico, plazo) for topico in _COMANDOS}
        except (OSError, HTTPException, ValueError, LookupError, TypeError) as error:
            # Lo demás ya se sabe: por esto no se pierde.
            _registro.debug("no se sabe cuánto espera en Pulsar", error=type(error).__name__)
            return None

    def _atraso(self, topico: str, plazo: float) -> int:
        ruta = f"persistent/{self._espacio}/{quote(topico)}"
        cuentas = self._preguntar(f"{ruta}/stats", plazo) or self._preguntar(
            f"{ruta}/partitioned-stats?perPartition=false", plazo
        )
        return int(cuentas["subscriptions"][SUSCRIPCION]["msgBacklog"])

    def _preguntar(self, ruta: str, plazo: float) -> Any:
        """La respuesta a una pregunta; nada si no existe aquello por lo que se pregunta.

        Raises:
            OSError: no hubo respuesta antes del plazo, o fue una negativa.
            HTTPException: lo que respondió no es HTTP, o se cortó.
            ValueError: lo que respondió no es JSON, o no cabe.
        """
        queda = plazo - time.monotonic()
        if queda <= 0:
            raise TimeoutError
        peticion = urllib.request.Request(f"{self._raiz}/{ruta}", headers=self._cabeceras)  # noqa: S310 (http o https: lo comprueba la configuración)
        try:
            with urllib.request.urlopen(peticion, timeout=queda, context=self._cifrado) as respuesta:  # noqa: S310
                contenido = respuesta.read(_MAXIMO_OCTETOS)
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                return None
            raise
        return json.loads(contenido) if contenido else None


@asynccontextmanager
async def avisando(revisor: RevisorDelBroker | None, listo: Callable[[], bool]) -> AsyncGenerator[None]:
    """Mientras dura el bloque, y en cuanto haya broker, avisa de lo que a este le falta."""
    aviso = None if revisor is None else asyncio.create_task(revisor.avisar(listo))
    try:
        yield
    finally:
        if aviso is not None:
            aviso.cancel()
            await asyncio.gather(aviso, return_exceptions=True)
