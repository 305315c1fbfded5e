"""El cliente con que se importa: lotes por HTTP/1.1, con conexiones que no se cierran y que insiste.

Qué es: una conexión por hilo y, de cada elemento de un lote, qué fue de él; si el servicio se cae, o de
alguno no se sabe, se insiste un tiempo con los que faltan.
Qué no es: un cliente de la API para otros; de esos se generan.
Por qué existe: un archivo de un millón de filas no se abandona porque el broker tarde un minuto en volver.
Repetir un elemento es seguro: lleva su `id`.
"""

import http.client
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from alpespartners.seedwork.pausas import Pausas, con_azar

LOTES: Final = "/tracking/lotes"
IMPORTACIONES: Final = "/tracking/importaciones"
_PAUSAS: Final = Pausas(0.1, 2.0)
_SEGUNDOS_DE_RESPUESTA: Final = 60.0
_SEGUNDOS_DE_TURNO: Final = 3600
"""Los que se esperan como mucho de una vez a quien dice cuándo volver."""
_CIFRAS_DE_TURNO: Final = 9
_PASAJEROS: Final = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Lo que se arregla insistiendo: nada se dice de las filas."""
_DE_ALGUNA_FILA: Final = frozenset(
    {
        *(HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        *(HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.INTERNAL_SERVER_ERROR),
    }
)
"""Lo que puede venir de una sola fila; lo demás no es de ninguna: falta la clave, o no está el servicio."""


class NoSePuedeEnviar(Exception):
    """No se puede seguir. El mensaje es una frase para quien importa, sin datos de ninguna fila."""


class Resultado(msgspec.Struct, kw_only=True):
    """Qué fue de un elemento, como lo dice el servicio."""

    estado: str
    errores: list[dict[str, Any]] = []
    motivo: str | None = None
    detalle: str | None = None
    campos: list[str] = []
    difieren: list[str] = []


@dataclass(frozen=True, slots=True)
class Negativa:
    """A la petición que llevaba solo ese elemento se respondió con un error: estado HTTP y cuerpo."""

    estado: int
    cuerpo: bytes


@dataclass(frozen=True, slots=True)
class Enviado:
    """Lo que fue de cada elemento, en su orden; `None` si no se supo, y entonces por qué se dejó."""

    resultados: Sequence[Resultado | Negativa | None]
    motivo: str = ""


class _Lote(msgspec.Struct):
    resultados: list[Resultado] = []


class Cliente:
    """Envía al servicio de una dirección; lo usan varios hilos.

    Args:
        direccion: `http://anfitrión:puerto`, o con `https`.
        clave: la que se presenta; `None`, ninguna.
        espera: segundos que se insiste en un lote antes de dejarlo; no cuentan los que el servicio pide
            que se espere porque se envía demasiado deprisa (429): está, y avanza.
        con_destino: si cada lote espera a saber en qué acaba.
        ruta: a cuál se envían los lotes.

    Attributes:
        direccion: la misma.
        con_destino: lo mismo.
    """

    def __init__(
        self,
        direccion: str,
        clave: str | None,
        *,
        espera: float,
        con_destino: bool = False,
        ruta: str = LOTES,
    ) -> None:
        partes = urlsplit(direccion)
        self._fabrica = (
            http.client.HTTPSConnection if partes.scheme == "https" else http.client.HTTPConnection
        )
        self._lugar = (partes.hostname or "", partes.port)
        self.direccion = direccion
        self.con_destino = con_destino
        self._espera = espera
        self._ruta = ruta
        self._cabeceras: dict[str, str | bytes] = {"Content-Type": "application/x-ndjson"}
        if clave is not None:
            # Como octetos: http.client solo escribe textos en Latin-1.
            self._cabeceras["Authorization"] = f"Bearer {clave}".encode()
        if con_destino:
            self._cabeceras["Prefer"] = "wait=10"
        self._parar = threading.Event()
        self._motivo = ""
        self._del_hilo = threading.local()
        self._abiertas: list[http.client.HTTPConnection] = []

    def enviar(self, elementos: Sequence[bytes]) -> Enviado:
        """Envía los elementos, cada uno un JSON sin saltos de línea, hasta saber qué fue de todos.

        Los deja a medias si el servicio no vuelve a tiempo, no es este o no deja entrar, o hay que parar.
        """
        resultados: list[Resultado | Negativa | None] = [None] * len(elementos)
        faltan, juntos = list(range(len(elementos))), len(elementos)
        plazo = time.monotonic() + self._espera
        fallos = 0
        while faltan and not self._parar.is_set():
            tanda = faltan[:juntos]
            try:
                estado, cuerpo, turno = self._intentar(
                    "POST", self._ruta, b"\n".join(elementos[numero] for numero in tanda)
                )
            except (OSError, http.client.HTTPException):
                motivo = "no responde"
            else:
                if estado == HTTPStatus.TOO_MANY_REQUESTS and turno is not None:
                    # Con azar, para que los demás hilos no vuelvan todos a la vez.
                    pausa = turno + con_azar(_PAUSAS.minima)
                    plazo += pausa
                    self._parar.wait(pausa)
                    continue
                if estado in _DE_ALGUNA_FILA:
                    # Se buscan en trozos cada vez menores: una no se lleva a las demás.
                    juntos = max(1, len(tanda) // 2)
                elif estado != HTTPStatus.OK and estado not in _PASAJEROS:
                    self.parar(_negativa(self.direccion, estado))
                    break
                sabidos = _sabidos(estado, cuerpo, va_solo=len(tanda) == 1)
                for numero, resultado in zip(tanda, sabidos, strict=False):
                    resultados[numero] = resultado
                antes, faltan = faltan, [numero for numero in faltan if resultados[numero] is None]
                if estado in _DE_ALGUNA_FILA or len(antes) - len(faltan) == len(tanda):
                    continue
                motivo = "no confirma lo que recibe" if estado == HTTPStatus.OK else f"responde {estado}"
            fallos += 1
            if time.monotonic() >= plazo:
                self.parar(f"El servicio de {self.direccion} {motivo}.")
                break
            self._parar.wait(con_azar(_PAUSAS.tras(fallos)))
        return Enviado(resultados, self._motivo)

    def leer(self, direccion: str) -> bytes:
        """El cuerpo de lo que se responde a un GET de esa dirección del servicio.

        Raises:
            NoSePuedeEnviar: no responde, o no responde con un 200.
        """
        try:
            estado, cuerpo, _ = self._intentar("GET", direccion, None)
        except (OSError, http.client.HTTPException):
            raise NoSePuedeEnviar(f"El servicio de {self.direccion} no responde.") from None
        if estado != HTTPStatus.OK:
            raise NoSePuedeEnviar(_negativa(self.direccion, estado))
        return cuerpo

    def parar(self, motivo: str) -> None:
        """Hace que quien insiste lo deje, y que ninguno vuelva a enviar; vale el primer motivo."""
        if not self._parar.is_set():
            self._motivo = motivo
            self._parar.set()

    def cerrar(self) -> None:
        """Cierra las conexiones; ningún hilo las usa ya."""
        for conexion in self._abiertas:
            conexion.close()

    def _intentar(self, metodo: str, ruta: str, cuerpo: bytes | None) -> tuple[int, bytes, int | None]:
        """El estado, el cuerpo y los segundos que dice `Retry-After`, si los dice."""
        conexion = self._conexion()
        try:
            conexion.request(metodo, ruta, body=cuerpo, headers=dict(self._cabeceras))
            recibida = conexion.getresponse()
            return recibida.status, recibida.read(), _turno(recibida.getheader("Retry-After", ""))
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


def _turno(escrito: str) -> int | None:
    """Los segundos que dice un `Retry-After`; `None` si no son segundos."""
    if not (escrito.isascii() and escrito.isdecimal()):
        return None
    return min(int(escrito), _SEGUNDOS_DE_TURNO) if len(escrito) <= _CIFRAS_DE_TURNO else _SEGUNDOS_DE_TURNO


def _sabidos(estado: int, cuerpo: bytes, *, va_solo: bool) -> Sequence[Resultado | Negativa | None]:
    """Lo que se sabe de cada elemento por la respuesta; la de otro, de en medio, no dice de ninguno."""
    if estado in _DE_ALGUNA_FILA:
        return [Negativa(estado, cuerpo)] if va_solo else []
    try:
        resultados = msgspec.json.decode(cuerpo, type=_Lote).resultados
    except msgspec.MsgspecError:
        return []
    return [None if resultado.estado == "SIN_CONFIRMAR" else resultado for resultado in resultados]


def _negativa(direccion: str, estado: int) -> str:
    match estado:
        case HTTPStatus.UNAUTHORIZED:
            return f"El servicio de {direccion} pide una clave: póngala en ALPES_CLAVES_API."
        case HTTPStatus.FORBIDDEN | HTTPStatus.MISDIRECTED_REQUEST:
            return f"El servicio de {direccion} no admite envíos desde aquí (responde {estado})."
        case _:
            return f"En {direccion} no está el servicio: responde {estado}."
