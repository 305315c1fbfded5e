"""`compose.yaml` levantado de verdad, con su propio nombre de proyecto, su puerto y sus volúmenes."""

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import httpx2
import pytest

from tests.apoyo.espera import hasta
from tests.apoyo.puertos import puerto_libre
from tests.apoyo.repositorio import RAIZ

_LIMITE_DE_ARRANQUE: Final = 180.0


class Pila:
    """Los servicios de `compose.yaml`.

    Args:
        compose: la orden de esta máquina: `docker compose` o `docker-compose`.

    Attributes:
        puerto: donde se publica la API.
        http: un cliente suyo.
    """

    def __init__(self, compose: Sequence[str]) -> None:
        self._compose = [*compose, "-p", f"prueba-{uuid.uuid4().hex[:8]}"]
        self.puerto = puerto_libre()
        self.http = httpx2.Client(base_url=f"http://127.0.0.1:{self.puerto}", timeout=20, trust_env=False)

    def orden(self, *argumentos: str, entrada: str = "") -> str:
        """Una orden de compose; devuelve lo que dice."""
        return _ejecutar([*self._compose, *argumentos], entrada, ALPES_PUERTO=str(self.puerto))

    def levantar(self, consumidores: int = 1) -> None:
        """Lo levanta todo y vuelve cuando cada servicio se declara sano."""
        self.orden("up", "-d", "--build", "--scale", f"consumidores={consumidores}")
        self.esperar_sanos(consumidores)

    def esperar_sanos(self, consumidores: int) -> None:
        """Vuelve cuando todo contenedor que no acaba está sano y viven los consumidores que se dice."""
        sanos = {"api": 1, "postgres": 1, "pulsar": 1, "consumidores": consumidores}
        hasta(lambda: self._sanos() == sanos and self._consumidores() == consumidores, _LIMITE_DE_ARRANQUE, 1)

    def matar(self, servicio: str) -> None:
        """Mata con -9 todos los procesos de uno de sus contenedores, desde dentro: así Docker lo repone."""
        contenedor = self._contenedores(servicio)[-1]
        veces = self._reposiciones(contenedor)
        orden = ["docker", "exec", contenedor, "sh", "-c", "kill -9 -1"]
        subprocess.run(orden, check=False, capture_output=True)
        hasta(lambda: self._reposiciones(contenedor) > veces, 60, 0.2)

    def cerrar(self) -> None:
        """Lo quita todo, datos incluidos."""
        self.http.close()
        self.orden("down", "-v", "--timeout", "20")

    def _sanos(self) -> dict[str, int]:
        return {
            servicio: sum(
                _inspeccionar(contenedor, "{{.State.Health.Status}}") == "healthy"
                for contenedor in self._contenedores(servicio)
            )
            for servicio in ("api", "postgres", "pulsar", "consumidores")
        }

    def _contenedores(self, servicio: str) -> list[str]:
        return self.orden("ps", "-q", servicio).split()

    def _consumidores(self) -> int | None:
        try:
            consumidores: int | None = self.http.get("/salud/lista").json()["consumidores"]
        except (httpx2.TransportError, KeyError):
            return None
        return consumidores

    def _reposiciones(self, contenedor: str) -> int:
        return int(_inspeccionar(contenedor, "{{.RestartCount}}"))


@contextmanager
def pila() -> Iterator[Pila]:
    """Una pila que al salir no deja contenedores ni volúmenes; sin un motor de Docker, salta la prueba."""
    if shutil.which("docker") is None or not _responde("docker", "info"):
        pytest.skip("falta un motor de Docker")
    compose = ["docker", "compose"] if _responde("docker", "compose", "version") else ["docker-compose"]
    if shutil.which(compose[0]) is None:
        pytest.skip("falta docker compose")
    nueva = Pila(compose)
    try:
        yield nueva
    finally:
        nueva.cerrar()


def _responde(*orden: str) -> bool:
    return subprocess.run(orden, check=False, capture_output=True).returncode == 0


def _inspeccionar(contenedor: str, formato: str) -> str:
    return _ejecutar(["docker", "inspect", "-f", formato, contenedor]).strip()


def _ejecutar(orden: Sequence[str], entrada: str = "", **ajustes: str) -> str:
    hecha = subprocess.run(
        orden, check=False, cwd=RAIZ, env=os.environ | ajustes, input=entrada, capture_output=True, text=True
    )
    if hecha.returncode:
        pytest.fail(f"{' '.join(orden)}: {hecha.stderr[-3000:]}")
    return hecha.stdout


def contar(pila: Pila) -> dict[str, int]:
    """Cuántos `ce_id` distintos hay en cada tópico; lo cuenta el cliente que ya está en la imagen."""
    programa = (RAIZ / "tests" / "contenedores" / "contar_topicos.py").read_text(encoding="utf-8")
    cuentas: dict[str, int] = json.loads(pila.orden("exec", "-T", "api", "python", "-", entrada=programa))
    return cuentas
