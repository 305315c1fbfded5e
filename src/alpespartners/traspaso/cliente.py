"""El cliente con que se importa: envíos por HTTP/1.1, con conexiones que no se cierran y que insiste.

Qué es: una conexión por hilo y, de cada envío, su respuesta; si el servicio se cae, se insiste un tiempo.
Qué no es: un cliente de la API para otros; de esos se generan.
Por qué existe: un archivo de un millón de filas no se abandona porque el broker tarde un minuto en volver.
Repetir un envío es seguro: lleva su `id`, o su `Idempotency-Key`.
"""

import http.client
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from alpespartners.seedwork.pausas import Pausas, con_azar

_PAUSAS: Final = Pausas(0.1, 2.0)
_SEGUNDOS_DE_RESPUESTA: Final = 30.0
_PASAJEROS: Final = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Lo que se arregla insistiendo: nada se dice de la fila."""
_DE_LA_FILA: Final = frozenset(
    {
        *(HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED),
        *(HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        *(HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.INTERNAL_SERVER_ERROR),
    }
)
"""Lo que se responde a una fila; lo demás no es de ninguna: sobra la clave, o ahí no está el servicio."""


class NoSePuedeEnviar(Exception):
    """No se puede seguir. El mensaje es una frase para quien importa, sin datos de ninguna fila."""


@dataclass(frozen=True, slots=True)
class Respuesta:
    """Lo que se respondió a un envío: estado HTTP y cuerpo."""

    estado: int
    cuerpo: bytes


class Cliente:
    """Envía al servicio de una dirección; lo usan varios hilos.

    Args:
        direccion: `http://anfitrión:puerto`, o con `https`.
        clave: la que se presenta; `None`, ninguna.
        espera: segundos que se insiste en un envío antes de dejarlo.
        con_destino: si cada envío espera a saber en qué acaba.

    Attributes:
        direccion: la misma.
    """

    def __init__(
        self, direccion: str, clave: str | None, *, espera: float, con_destino: bool = False
    ) -> None:
        partes = urlsplit(direccion)
        self._fabrica = (
            http.client.HTTPSConnection if partes.scheme == "https" else http.client.HTTPConnection
        )
        self._lugar = (partes.hostname or "", partes.port)
        self.direccion = direccion
        self._espera = espera
        self._cabeceras: dict[str, str | bytes] = {"Content-Type": "application/json"}
        if clave is not None:
            # Como octetos: http.client solo escribe textos en Latin-1.
            self._cabeceras["Authorization"] = f"Bearer {clave}".encode()
        if con_destino:
            self._cabeceras["Prefer"] = "wait=10"
        self._parar = threading.Event()
        self._motivo = ""
        self._del_hilo = threading.local()
        self._abiertas: list[http.client.HTTPConnection] = []

    def enviar(self, ruta: str, cuerpo: bytes, clave_de_idempotencia: str | None) -> Respuesta:
        """Envía y devuelve lo que se respondió de la fila.

        Raises:
            NoSePuedeEnviar: el servicio no volvió a tiempo, no es este o no deja entrar, o hay que parar.
        """
        cabeceras = dict(self._cabeceras)
        if clave_de_idempotencia is not None:
            cabeceras["Idempotency-Key"] = f'"{clave_de_idempotencia}"'
        plazo = time.monotonic() + self._espera
        fallos = 0
        while not self._parar.is_set():
            try:
                respuesta = self._intentar(ruta, cuerpo, cabeceras)
            except (OSError, http.client.HTTPException):
                motivo = "no responde"
            else:
                if respuesta.estado in _DE_LA_FILA:
                    return respuesta
                if respuesta.estado not in _PASAJEROS:
                    self.parar(_negativa(self.direccion, respuesta))
                    break
                motivo = f"responde {respuesta.estado}"
            fallos += 1
            if time.monotonic() >= plazo:
                self.parar(f"El servicio de {self.direccion} {motivo}.")
                break
            self._parar.wait(con_azar(_PAUSAS.tras(fallos)))
        raise NoSePuedeEnviar(self._motivo)

    def parar(self, motivo: str) -> None:
        """Hace que quien insiste lo deje, y que ninguno vuelva a enviar; vale el primer motivo."""
        if not self._parar.is_set():
            self._motivo = motivo
            self._parar.set()

    def cerrar(self) -> None:
        """Cierra las conexiones; ningún hilo las usa ya."""
        for conexion in self._abiertas:
            conexion.close()

    def _intentar(self, ruta: str, cuerpo: bytes, cabeceras: Mapping[str, str | bytes]) -> Respuesta:
        conexion = self._conexion()
        try:
            conexion.request("POST", ruta, body=cuerpo, headers=dict(cabeceras))
            recibida = conexion.getresponse()
            return Respuesta(recibida.status, recibida.read())
        except (OSError, http.client.HTTPException):
            # Se abrirá otra al volver a pedir.
            conexion.close()
            raise

    def _conexion(self) -> http.client.HTTPConnection:
        conexion: http.client.HTTPConnection | None = getattr(self._del_hilo, "conexion", None)
        if conexion is None:
            anfitrion, puerto = self._lugar
            conexion = self._fabrica(anfitrion, puerto, timeout=_SEGUNDOS_DE_RESPUESTA)
            self._del_hilo.conexion = conexion
            self._abiertas.append(conexion)
        return conexion


def _negativa(direccion: str, respuesta: Respuesta) -> str:
    match respuesta.estado:
        case HTTPStatus.UNAUTHORIZED:
            return f"El servicio de {direccion} pide una clave: póngala en ALPES_CLAVES_API."
        case HTTPStatus.FORBIDDEN | HTTPStatus.MISDIRECTED_REQUEST:
            return f"El servicio de {direccion} no admite envíos desde aquí (responde {respuesta.estado})."
        case _:
            return f"En {direccion} no está el servicio: responde {respuesta.estado}."
