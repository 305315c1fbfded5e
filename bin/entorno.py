"""Instala los requisitos bloqueados en el `.venv` del repositorio; lo llaman `bin/iniciar` y `bin/probar`.

No es parte del producto ni un gestor de paquetes: hace una sola cosa, con la biblioteca estándar y el pip que
trae Python, porque se ejecuta cuando todavía no hay nada instalado. Existe para que una instalación
interrumpida en cualquier punto, o dos a la vez, acaben siempre en un `.venv` entero:

- un cerrojo (`flock` sobre la carpeta del repositorio, que hereda pip) deja instalar a uno solo;
- `.venv/en-obra` está mientras se instala: quien lo encuentra sabe que quedó a medias y empieza de cero;
- `.venv/sello-…` se escribe al final y dice con qué se instaló: mientras coincida no se vuelve a tocar nada.
"""

import fcntl
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_COLA_DE_PIP = 20  # líneas de pip que se enseñan cuando falla: las últimas dicen por qué

_ORDEN = """\
#!/bin/sh
'''exec' {python} "$0" "$@"
' '''
import sys

from alpespartners.cli import principal

if __name__ == "__main__":
    sys.exit(principal())
"""


class NoSePudoInstalar(Exception):
    """Lo que ha pasado, dicho para quien tecleó la orden."""


def preparar(raiz: Path, grupo: str) -> None:
    """Deja en `raiz/.venv` lo que pide `requisitos/{grupo}.txt`.

    Args:
        raiz: carpeta del repositorio, absoluta.
        grupo: `servicio` o `pruebas`; el segundo contiene al primero.

    Raises:
        NoSePudoInstalar: pip falló, o hay un `.venv` que no hizo este guion.
        OSError: la carpeta no se puede escribir.
    """
    entorno = raiz / ".venv"
    with _turno(raiz) as cerrojo:
        if _al_dia(raiz, grupo):
            return
        retirado = raiz / ".venv.retirado"
        shutil.rmtree(retirado, ignore_errors=True)
        en_obra = entorno / "en-obra"
        if grupo == "servicio" or en_obra.exists() or not _al_dia(raiz, "servicio"):
            if entorno.exists():
                _exigir_propio(entorno)
                # Apartarlo es un solo paso: ninguna interrupción deja un .venv a medio borrar.
                entorno.rename(retirado)
                shutil.rmtree(retirado, ignore_errors=True)
            _decir(f"Preparando {entorno} (sólo la primera vez, o cuando cambian los requisitos)…")
            entorno.mkdir()
            en_obra.touch()
            _ejecutar([_python_base(), "-m", "venv", str(entorno)], cerrojo)
        else:
            en_obra.touch()
        _instalar_requisitos(raiz, grupo, cerrojo)
        _instalar_proyecto(raiz)
        for instalado in ("servicio", "pruebas") if grupo == "pruebas" else ("servicio",):
            _sello(raiz, instalado).write_bytes(_contenido_del_sello(raiz, instalado))
        en_obra.unlink()
        _decir("Listo.")


def sin_broker_embebido(requisitos: str) -> str:
    """Quita pulsar-lite: no publica rueda para musl, y los marcadores de un requisito no saben de libc."""
    return re.sub(r"^pulsar-lite==.*\n(?:[ \t].*\n)*", "", requisitos, flags=re.MULTILINE)


def _sello(raiz: Path, grupo: str) -> Path:
    return raiz / ".venv" / f"sello-{grupo}"


def _contenido_del_sello(raiz: Path, grupo: str) -> bytes:
    # La ruta, porque las órdenes de un entorno la llevan escrita; bin/entorno.sh compara estos mismos bytes.
    partes = (raiz / "requisitos" / f"{grupo}.txt", Path(__file__))
    return os.fsencode(raiz) + b"\n" + b"".join(parte.read_bytes() for parte in partes)


def _al_dia(raiz: Path, grupo: str) -> bool:
    python = raiz / ".venv" / "bin" / "python"
    sello = _sello(raiz, grupo)
    return python.exists() and sello.exists() and sello.read_bytes() == _contenido_del_sello(raiz, grupo)


def _exigir_propio(entorno: Path) -> None:
    propio = (entorno / "en-obra").exists() or any(entorno.glob("sello-*")) or not any(entorno.iterdir())
    if not propio:
        raise NoSePudoInstalar(f"{entorno} no lo hizo este guion y no se toca: muévalo o bórrelo, y repita.")


@contextmanager
def _turno(raiz: Path) -> Iterator[int]:
    descriptor = os.open(raiz, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _decir("Otra instalación está en marcha en esta carpeta: se espera a que acabe…")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _python_base() -> str:
    # Con .venv activado, python3 es el que se va a apartar.
    activado = sys.prefix != sys.base_prefix
    return str(Path(sys.executable).resolve()) if activado else sys.executable


def _instalar_requisitos(raiz: Path, grupo: str, cerrojo: int) -> None:
    requisitos = (raiz / "requisitos" / f"{grupo}.txt").read_text(encoding="utf-8")
    if sys.platform == "linux" and platform.libc_ver()[0] != "glibc":
        requisitos = sin_broker_embebido(requisitos)
    entorno = raiz / ".venv"
    lista = entorno / "requisitos.txt"
    lista.write_text(requisitos, encoding="utf-8")
    orden = [str(entorno / "bin" / "python"), "-m", "pip", "install", "--requirement", str(lista)]
    # Sin código ajeno al instalar: sólo ruedas, y sólo las que llevan el hash bloqueado.
    orden += ["--require-hashes", "--only-binary=:all:", "--no-input", "--disable-pip-version-check"]
    _ejecutar(orden, cerrojo, total=len(re.findall(r"^[\w.-]+==", requisitos, flags=re.MULTILINE)))


def _instalar_proyecto(raiz: Path) -> None:
    # Lo que haría una instalación editable, sin la herramienta de construir que habría que bajar para ello.
    entorno = raiz / ".venv"
    paquetes = sysconfig.get_path("purelib", "venv", {"base": str(entorno), "platbase": str(entorno)})
    (Path(paquetes) / "alpespartners.pth").write_bytes(os.fsencode(raiz / "src") + b"\n")
    orden = entorno / "bin" / "alpespartners"
    orden.write_text(_ORDEN.format(python=shlex.quote(str(entorno / "bin" / "python"))), encoding="utf-8")
    orden.chmod(0o755)


def _ejecutar(orden: list[str], cerrojo: int, total: int = 0) -> None:
    # pip hereda el cerrojo: si a este proceso lo matan, el siguiente espera a que pip termine.
    with subprocess.Popen(
        orden,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        pass_fds=(cerrojo,),
    ) as proceso:
        lineas = list(_con_progreso(proceso.stdout or (), total))
    if proceso.returncode != 0:
        _decir("".join(lineas[-_COLA_DE_PIP:]))
        raise NoSePudoInstalar("No se pudieron instalar los requisitos: arriba se ve por qué.")


def _con_progreso(lineas: Iterable[str], total: int) -> Iterator[str]:
    """Deja pasar las líneas de pip y, si alguien mira, cuenta en una sola línea por dónde va."""
    hechos = 0
    for linea in lineas:
        if linea.startswith("Ignoring "):
            total -= 1
        elif encontrado := re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)==", linea):
            hechos += 1
            _progreso(f"  [{hechos}/{total}] {encontrado[1]}")
        elif linea.startswith("Installing collected packages"):
            _progreso(f"  [{total}/{total}] copiando…")
        yield linea
    _progreso("")


def _progreso(texto: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{texto}", end="", file=sys.stderr, flush=True)


def _decir(texto: str) -> None:
    print(texto, file=sys.stderr, flush=True)


def principal() -> int:
    """Lee `RAÍZ GRUPO` y devuelve el código de salida."""
    raiz, grupo = Path(sys.argv[1]), sys.argv[2]
    try:
        preparar(raiz, grupo)
    except NoSePudoInstalar as error:
        _decir(str(error))
        return 1
    except OSError as error:
        _decir(f"No se puede escribir en {raiz}: {error.strerror}.")
        return 1
    except KeyboardInterrupt:
        _decir("\nInstalación interrumpida: al repetir se empieza de nuevo.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(principal())
