"""La carga: clientes que envían a la vez y publicadores ajenos, y la cuenta de lo que se les prometió.

Qué es: hilos que envían de uno en uno y por lotes, se portan como buenos clientes (un 503, un corte o un
`SIN_CONFIRMAR` se repite con el mismo `id`) y anotan cada aceptado y cada petición que espera respuesta.
Qué no es: una medida de rendimiento; entre dos envíos cada cliente descansa un poco.
Por qué existe: sin saber qué se aceptó y qué estaba en el aire no se puede decir que nada se perdió.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from random import Random
from typing import Final

import httpx2

from tests.muerte.envios import Envio, envio_nuevo

_RECIENTES: Final = 300
_DESCANSO: Final = 0.03
_ENTRE_INTENTOS: Final = 0.05
_LIMITE_DE_INSISTENCIA: Final = 120.0
_PARTE_DE_LOTES: Final = 0.1
_LOTE_MAXIMO: Final = 60
_PARTE_DE_CLICS: Final = 0.1
_NO_SE_LLEGO: Final = (httpx2.codes.SERVICE_UNAVAILABLE, httpx2.codes.TOO_MANY_REQUESTS)
_ENLACE: Final = {"enlace_id": "muerte", "campaña_id": "cmp-0", "destino": "https://tienda.example/"}
_NDJSON: Final = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Aceptado:
    """Uno aceptado, solo o en un lote: lo enviado, su comando y cuándo se empezó a enviar (monótono)."""

    envio: Envio
    comando_id: str
    desde: float


class Carga:
    """Los clientes de una instalación.

    Args:
        puertos: los de las APIs; cada envío va a una al azar.
        semilla: de la que sale lo que envía cada cliente.
        clientes: cuántos hilos.
        siguen_enlaces: si además siguen un enlace, una de cada diez veces.

    Attributes:
        aceptados: todos, en el orden en que llegaron sus respuestas.
        por_lotes: cuántos de ellos iban en un lote.
        intentados: lo enviado con cada clase e `id`, con respuesta o sin ella.
        invalidos: clase e `id` de lo que debía ser 422.
        clics: los que recibió alguien que siguió un enlace, con su destino.
        sorpresas: respuestas que un buen cliente no espera jamás.
    """

    def __init__(
        self, puertos: Sequence[int], semilla: int, clientes: int = 6, *, siguen_enlaces: bool = False
    ) -> None:
        self._puertos = puertos
        self._parte_de_clics = _PARTE_DE_CLICS if siguen_enlaces else 0.0
        self._parar = threading.Event()
        self._candado = threading.Lock()
        self._en_vuelo: dict[int, int] = dict.fromkeys(puertos, 0)
        self._recientes: deque[Envio] = deque(maxlen=_RECIENTES)
        self._buzones: list[SimpleQueue[Envio]] = [SimpleQueue() for _ in range(clientes)]
        self.aceptados: list[Aceptado] = []
        self.por_lotes = 0
        self.intentados: dict[tuple[str, str], list[Envio]] = {}
        self.invalidos: set[tuple[str, str]] = set()
        self.clics: list[str] = []
        self.sorpresas: list[str] = []
        self._hilos = [
            threading.Thread(target=self._enviar_sin_parar, args=(numero, Random(f"{semilla}-{numero}")))  # noqa: S311 (se repite con la semilla)
            for numero in range(clientes)
        ]

    def empezar(self) -> None:
        """Arranca los clientes."""
        for hilo in self._hilos:
            hilo.start()

    def terminar(self) -> None:
        """Vuelve cuando cada cliente tiene respuesta de lo último que enviaba."""
        self._parar.set()
        for hilo in self._hilos:
            hilo.join()

    def en_vuelo(self, puerto: int | None = None) -> int:
        """Cuántas peticiones esperan respuesta, de esa API o de todas."""
        with self._candado:
            return sum(self._en_vuelo.values()) if puerto is None else self._en_vuelo[puerto]

    def _enviar_sin_parar(self, numero: int, azar: Random) -> None:
        with httpx2.Client(timeout=15, trust_env=False) as http:
            cuenta = 0
            if self._parte_de_clics:
                self._hacer_el_enlace(http, azar)
            while not self._parar.is_set():
                if azar.random() < self._parte_de_clics:
                    self._seguir_el_enlace(http, azar)
                    self._parar.wait(azar.uniform(0, _DESCANSO))
                    continue
                cuantos = azar.randint(2, _LOTE_MAXIMO) if azar.random() < _PARTE_DE_LOTES else 1
                envios = [
                    self._siguiente(numero, azar, f"{numero}-{cuenta + suyo}")
                    for suyo in range(1, cuantos + 1)
                ]
                cuenta += cuantos
                if cuantos == 1:
                    self._insistir(http, azar, *envios[0])
                else:
                    self._insistir_en_el_lote(http, azar, envios)
                self._parar.wait(azar.uniform(0, _DESCANSO))

    def _hacer_el_enlace(self, http: httpx2.Client, azar: Random) -> None:
        """Lo hace quien llegue antes; para los demás, repetirlo no es nada."""
        plazo = time.monotonic() + _LIMITE_DE_INSISTENCIA
        while time.monotonic() < plazo:
            cuerpo = json.dumps(_ENLACE).encode()
            respuesta = self._enviar(http, azar.choice(self._puertos), "/tracking/enlaces", cuerpo)
            if respuesta is not None and respuesta.is_success:
                return
            time.sleep(_ENTRE_INTENTOS)
        self.sorpresas.append("el enlace no se pudo hacer")

    def _seguir_el_enlace(self, http: httpx2.Client, azar: Random) -> None:
        """Una sola vez: quien sigue un enlace no insiste, y solo se promete el clic de quien llegó."""
        http.cookies.clear()
        try:
            respuesta = http.get(f"http://127.0.0.1:{azar.choice(self._puertos)}/c/{_ENLACE['enlace_id']}")
        except httpx2.HTTPError:
            return
        if respuesta.status_code == httpx2.codes.FOUND:
            self.clics.append(respuesta.headers["Location"].partition("alp_clic=")[2])
        elif respuesta.status_code not in _NO_SE_LLEGO:
            self.sorpresas.append(f"enlace: {respuesta.status_code} {respuesta.text}")

    def _siguiente(self, numero: int, azar: Random, id_evento: str) -> tuple[Envio, bool]:
        """Lo que toca enviar y si es válido: lo encargado por otro, algo nuevo o algo repetido."""
        try:
            return self._buzones[numero].get_nowait(), True
        except Empty:
            pass
        suerte = azar.random()
        nuevo = envio_nuevo(azar, id_evento)
        if suerte < 0.08:
            return nuevo.invalido(), False
        if self._recientes and suerte < 0.38:
            repetido = azar.choice(tuple(self._recientes))
            return (repetido.con_otro_contenido(azar) if suerte < 0.18 else repetido), True
        if suerte < 0.46:
            # El mismo `id` a la vez desde varios clientes; uno de ellos, con otro contenido.
            copias = [nuevo, nuevo, nuevo.con_otro_contenido(azar)]
            for buzon, copia in zip(azar.sample(self._buzones, len(copias)), copias, strict=True):
                buzon.put(copia)
        self._recientes.append(nuevo)
        return nuevo, True

    def _anotar_intento(self, envio: Envio, *, valido: bool) -> None:
        with self._candado:
            if valido:
                self.intentados.setdefault((envio.clase, envio.id), []).append(envio)
            else:
                self.invalidos.add((envio.clase, envio.id))

    def _insistir(self, http: httpx2.Client, azar: Random, envio: Envio, valido: bool) -> None:  # noqa: FBT001
        self._anotar_intento(envio, valido=valido)
        plazo = time.monotonic() + _LIMITE_DE_INSISTENCIA
        while time.monotonic() < plazo:
            desde = time.monotonic()
            ruta = f"/tracking/{envio.clase}"
            respuesta = self._enviar(http, azar.choice(self._puertos), ruta, envio.cuerpo())
            if respuesta is None or respuesta.status_code == httpx2.codes.SERVICE_UNAVAILABLE:
                time.sleep(_ENTRE_INTENTOS)
                continue
            esperado = httpx2.codes.ACCEPTED if valido else httpx2.codes.UNPROCESSABLE_CONTENT
            if respuesta.status_code != esperado:
                self.sorpresas.append(f"{envio.clase}/{envio.id}: {respuesta.status_code} {respuesta.text}")
            elif valido:
                self.aceptados.append(Aceptado(envio, respuesta.json()["comando_id"], desde))
            return
        self.sorpresas.append(f"{envio.clase}/{envio.id}: sin respuesta en {_LIMITE_DE_INSISTENCIA:g} s")

    def _insistir_en_el_lote(
        self, http: httpx2.Client, azar: Random, envios: Sequence[tuple[Envio, bool]]
    ) -> None:
        """Lo repite entero mientras de alguno no se sepa: lo aceptado antes será un duplicado."""
        for envio, valido in envios:
            self._anotar_intento(envio, valido=valido)
        cuerpo = b"\n".join(envio.elemento() for envio, _ in envios)
        plazo = time.monotonic() + _LIMITE_DE_INSISTENCIA
        while time.monotonic() < plazo:
            desde = time.monotonic()
            respuesta = self._enviar(http, azar.choice(self._puertos), "/tracking/lotes", cuerpo, _NDJSON)
            if respuesta is not None and self._anotar_lote(respuesta, envios, desde):
                return
            time.sleep(_ENTRE_INTENTOS)
        self.sorpresas.append(f"un lote sin respuesta en {_LIMITE_DE_INSISTENCIA:g} s")

    def _anotar_lote(
        self, respuesta: httpx2.Response, envios: Sequence[tuple[Envio, bool]], desde: float
    ) -> bool:
        """Anota lo aceptado y lo inesperado; dice si de todos se sabe ya qué fue."""
        if respuesta.status_code not in (httpx2.codes.OK, httpx2.codes.SERVICE_UNAVAILABLE):
            self.sorpresas.append(f"lote: {respuesta.status_code} {respuesta.text}")
            return True
        resultados = respuesta.json()["resultados"]
        for (envio, valido), resultado in zip(envios, resultados, strict=True):
            estado = resultado["estado"]
            if estado not in (("ACEPTADA", "SIN_CONFIRMAR") if valido else ("RECHAZADA",)):
                self.sorpresas.append(f"lote: {envio.clase}/{envio.id}: {resultado}")
            elif estado == "ACEPTADA":
                self.aceptados.append(Aceptado(envio, resultado["comando_id"], desde))
                self.por_lotes += 1
        return all(resultado["estado"] != "SIN_CONFIRMAR" for resultado in resultados)

    def _enviar(
        self, http: httpx2.Client, puerto: int, ruta: str, cuerpo: bytes, tipo: str = "application/json"
    ) -> httpx2.Response | None:
        """La respuesta, o nada si la conexión se cortó."""
        with self._candado:
            self._en_vuelo[puerto] += 1
        try:
            return http.post(
                f"http://127.0.0.1:{puerto}{ruta}", content=cuerpo, headers={"Content-Type": tipo}
            )
        except httpx2.HTTPError:
            return None
        finally:
            with self._candado:
                self._en_vuelo[puerto] -= 1
