"""Mirar procesos ajenos desde fuera, por /proc: las pruebas de vida y muerte corren en Linux."""

import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

_CONECTADA = "01"  # TCP_ESTABLISHED en /proc/net/tcp
_ESCUCHA = "0A"  # TCP_LISTEN
_LARGO_DE_TCP_INFO = 232
_BYTES_RECEIVED = slice(128, 136)  # tcpi_bytes_received, en la tcp_info de <linux/tcp.h>


def procesos_de(carpeta: Path) -> dict[int, str]:
    """Los procesos vivos que trabajan en esa carpeta o la nombran en su orden: pid y orden."""
    encontrados = {}
    for proceso in Path("/proc").iterdir():
        if not proceso.name.isdigit() or int(proceso.name) == os.getpid():
            continue
        try:
            orden = (proceso / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            trabaja_en = (proceso / "cwd").readlink()
        except OSError:  # terminó mientras se miraba, o espera a que lo recojan
            continue
        if str(carpeta) in orden or trabaja_en.is_relative_to(carpeta):
            encontrados[int(proceso.name)] = orden
    return encontrados


def avisar(pid: int, señal: signal.Signals) -> None:
    """Le envía la señal, si es que no terminó ya."""
    with suppress(ProcessLookupError):
        os.kill(pid, señal)


def procesador_gastado(pid: int) -> float:
    """Segundos de procesador que lleva gastados, en el núcleo y fuera."""
    campos = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(campos[11]) + int(campos[12])) / os.sysconf("SC_CLK_TCK")


def memoria_residente(pid: int) -> int:
    """Octetos de memoria física que ocupa."""
    paginas = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return paginas * os.sysconf("SC_PAGE_SIZE")


def dueño_del_cerrojo(archivo: Path) -> int | None:
    """El proceso que tomó ese ``flock`` para sí solo, según el núcleo."""
    if not archivo.exists():
        return None
    final = f":{archivo.stat().st_ino}"
    for linea in Path("/proc/locks").read_text(encoding="ascii").splitlines():
        campos = linea.split()
        if "->" not in campos and campos[3] == "WRITE" and campos[5].endswith(final):
            return int(campos[4])
    return None


def escuchas(pid: int) -> set[tuple[str, int]]:
    """Direcciones y puertos TCP en los que escucha un proceso."""
    propios = _enchufes(pid)
    encontradas = set()
    for tabla, familia in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for linea in Path(f"/proc/{pid}/net/{tabla}").read_text(encoding="ascii").splitlines()[1:]:
            campos = linea.split()
            if campos[3] == _ESCUCHA and f"socket:[{campos[9]}]" in propios:
                direccion, puerto = campos[1].split(":")
                octetos = b"".join(
                    bytes.fromhex(direccion[i : i + 8])[::-1] for i in range(0, len(direccion), 8)
                )
                encontradas.add((socket.inet_ntop(familia, octetos), int(puerto, 16)))
    return encontradas


def conexiones(pid: int, puerto: int) -> int:
    """Cuántas conexiones TCP tiene abiertas un proceso en ese puerto suyo."""
    propios = _enchufes(pid)
    filas = Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return sum(
        campos[3] == _CONECTADA
        and campos[1].endswith(f":{puerto:04X}")
        and f"socket:[{campos[9]}]" in propios
        for campos in (fila.split() for fila in filas)
    )


def recibido_de(puerto: int) -> dict[int, int]:
    """Octetos recibidos por cada conexión TCP de este proceso con ese puerto, por su descriptor."""
    recibidos = {}
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError), socket.socket(fileno=os.dup(int(descriptor.name))) as enchufe:
            if enchufe.family == socket.AF_INET and enchufe.getpeername()[1] == puerto:
                cuentas = enchufe.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LARGO_DE_TCP_INFO)
                recibidos[int(descriptor.name)] = int.from_bytes(cuentas[_BYTES_RECEIVED], sys.byteorder)
    return recibidos


def _enchufes(pid: int) -> set[str]:
    """A qué apuntan los descriptores de un proceso."""
    propios = set()
    for enlace in Path(f"/proc/{pid}/fd").iterdir():
        # Mientras se miran, el proceso cierra algunos.
        with suppress(FileNotFoundError):
            propios.add(enlace.readlink().name)
    return propios
