"""Un servidor PostgreSQL propio de las pruebas: un proceso corriente en una carpeta que luego se borra."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

import pytest

from alpespartners.composicion.adaptadores import CUENTAS
from alpespartners.medicion.servidor_postgresql import binarios, usuario_del_servidor
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.lecturas import LecturasPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.libro import LibroPostgreSQL, migrar
from tests.apoyo.discos import DiscoPequeño, disco_pequeño
from tests.apoyo.espera import hasta
from tests.apoyo.puertos import puerto_libre

CLAVE = "contr@seña/:#%+ y espacios"
"""Todo lo que en una URL hay que escribir de otra manera."""

SIN_PRISA = 60.0
"""Segundos para una sentencia cuando la prueba no trata de cuánto tarda: la máquina puede estar cargada."""

_AJUSTES = {
    # Nada de lo que estas pruebas guardan ha de sobrevivir a la máquina.
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "log_statement": "none",
}


class ServidorDePrueba:
    """Un servidor en una carpeta.

    Attributes:
        enchufe: la carpeta de su socket de UNIX.

    Args:
        carpeta: donde estará.
        donde: sus programas.
        al_crearlo: más opciones para `initdb`.
        ajustes: los suyos, además de los de todas las pruebas.
    """

    def __init__(
        self,
        carpeta: Path,
        donde: Path,
        *,
        al_crearlo: Sequence[str] = (),
        ajustes: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.puerto = puerto_libre()
        self.enchufe = carpeta
        self._certificado = carpeta / "servidor.crt"
        self._carpeta = carpeta
        self._donde = donde
        self._ajustes = ajustes
        self._numeros = count(1)
        self._usuario = usuario_del_servidor(carpeta)
        self._compilado_con = self._orden(str(donde / "pg_config"), "--configure")
        clave = carpeta / "clave"
        clave.write_text(CLAVE, encoding="utf-8")
        clave.chmod(0o644)
        self._orden(
            str(donde / "initdb"),
            *("-D", str(carpeta / "datos"), "-U", "alpes", "-A", "scram-sha-256", "--pwfile", str(clave)),
            *("-E", "UTF8", "--no-sync", "--locale=C.UTF-8", *al_crearlo),
            # Como en una máquina de verdad: el orden del idioma no es el de los puntos de código.
            *(("--locale-provider=icu", "--icu-locale=es") if "--with-icu" in self._compilado_con else ()),
        )
        self._orden(
            "openssl",
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(carpeta / "servidor.key")),
            *("-out", str(self._certificado)),
        )
        self.arrancar()
        self._crear("plantilla")
        migrar(self.url("plantilla"))

    def arrancar(self) -> None:
        """Arranca el servidor y espera a que atienda."""
        self._lanzar()
        hasta(self._en_pie, 60)

    def _en_pie(self) -> bool:
        """Dice si atiende; si no llegó a arrancar, lo intenta otra vez.

        Tras matarlo, sus procesos pueden tardar en soltar la memoria, y otro programa pudo tomar su puerto.
        """
        if self._proceso.poll() is not None:
            self._lanzar()
            return False
        return (self._carpeta / f".s.PGSQL.{self.puerto}").exists() and self._atiende()

    def _lanzar(self) -> None:
        ajustes = {
            **_AJUSTES,
            **self._ajustes,
            "port": str(self.puerto),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self._carpeta),
        }
        if self._cifra:
            ajustes |= {
                "ssl": "on",
                "ssl_cert_file": str(self._certificado),
                "ssl_key_file": str(self._carpeta / "servidor.key"),
            }
        with (self._carpeta / "registro").open("ab") as registro:
            self._proceso = subprocess.Popen(
                [
                    str(self._donde / "postgres"),
                    *("-D", str(self._carpeta / "datos")),
                    *(f"--{nombre}={valor}" for nombre, valor in ajustes.items()),
                ],
                stdout=registro,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self._carpeta,
                start_new_session=True,
                **self._usuario,
            )

    @property
    def caido(self) -> bool:
        """Dice si terminó por su cuenta."""
        return self._proceso.poll() is not None

    def en_espera(self) -> None:
        """Hace que al arrancar otra vez sea la copia que espera a ser la principal: solo admite lecturas."""
        (self._carpeta / "datos" / "standby.signal").touch()

    def detener(self) -> None:
        """Lo detiene sin esperar a las transacciones en curso."""
        self._proceso.send_signal(signal.SIGINT)
        self._proceso.wait(60)

    def matar(self) -> None:
        """Mata con -9 a todos sus procesos, como un corte que la máquina no sufre."""
        os.killpg(self._proceso.pid, signal.SIGKILL)
        self._proceso.wait(60)

    def url(self, base: str, parametros: str = "") -> str:
        """La URL de una de sus bases de datos."""
        return f"postgresql://alpes:{quote(CLAVE, safe='')}@127.0.0.1:{self.puerto}/{base}{parametros}"

    def base_nueva(self, como: str = "") -> str:
        """La URL de una base de datos recién migrada y vacía, creada como se diga."""
        return self._crear(f"prueba_{next(self._numeros)}", f"TEMPLATE plantilla {como}")

    def base_vacia(self, como: str = "") -> str:
        """La URL de una base de datos sin tablas, creada como se diga."""
        return self._crear(f"prueba_{next(self._numeros)}", como)

    @property
    def certificado(self) -> Path:
        """La autoridad que firma el suyo; sin TLS en el servidor, salta la prueba."""
        if not self._cifra:
            pytest.skip("este PostgreSQL no sabe de TLS")
        return self._certificado

    @property
    def _cifra(self) -> bool:
        return "--with-ssl" in self._compilado_con or "--with-openssl" in self._compilado_con

    def _crear(self, base: str, como: str = "") -> str:
        sql(self.url("postgres"), f"CREATE DATABASE {base} {como}")
        return self.url(base)

    def _atiende(self) -> bool:
        orden = [str(self._donde / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.puerto)]
        return subprocess.run(orden, check=False).returncode == 0

    def _orden(self, *orden: str) -> str:
        hecha: subprocess.CompletedProcess[str] = subprocess.run(
            orden, check=True, capture_output=True, text=True, cwd=self._carpeta, **self._usuario
        )
        return hecha.stdout


def sql(url: str, sentencia: str) -> list[list[str]]:
    """Ejecuta y confirma una sentencia con `psql`, como haría una persona, y devuelve sus filas en texto."""
    orden = [_psql(), "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", sentencia, url]
    salida = subprocess.run(orden, check=True, capture_output=True, text=True).stdout
    return [linea.split("\t") for linea in salida.splitlines()]


def _psql() -> str:
    """`psql`; quien solo tiene la rueda no lo tiene en el PATH."""
    donde = binarios()
    return shutil.which("psql") or str(donde and donde / "psql")


@contextmanager
def servidor_de_prueba() -> Generator[ServidorDePrueba]:
    """Un servidor que al salir no deja procesos ni archivos; si no está instalado, salta la prueba."""
    with _carpeta_del_servidor() as (carpeta, donde):
        servidor = ServidorDePrueba(carpeta, donde)
        try:
            yield servidor
        finally:
            servidor.detener()


@dataclass(frozen=True, slots=True)
class EnDiscosPequeños:
    """Un servidor que tiene en un disco su WAL, y en otro lo que se cree con `CREA_EN_EL_PEQUEÑO`."""

    servidor: ServidorDePrueba
    datos: DiscoPequeño
    wal: DiscoPequeño


CREA_EN_EL_PEQUEÑO = "TABLESPACE pequeño"


@contextmanager
def servidor_en_discos_pequeños() -> Generator[EnDiscosPequeños]:
    """Como `servidor_de_prueba`, en discos que se llenan; sin permiso para montarlos, salta la prueba."""
    with (
        _carpeta_del_servidor() as (carpeta, donde),
        disco_pequeño(carpeta / "disco-datos", megas=64) as datos,
        disco_pequeño(carpeta / "disco-wal", megas=32) as wal,
    ):
        for disco in (datos, wal):
            usuario_del_servidor(disco.carpeta)
        servidor = ServidorDePrueba(
            carpeta,
            donde,
            # Tramos pequeños y pocos de reserva: sin sitio, se para en cuanto escribe un poco.
            al_crearlo=("--waldir", str(wal.carpeta / "wal"), "--wal-segsize", "1"),
            ajustes={"min_wal_size": "2MB", "max_wal_size": "8MB"},
        )
        try:
            sql(servidor.url("postgres"), f"CREATE TABLESPACE pequeño LOCATION '{datos.carpeta}'")
            yield EnDiscosPequeños(servidor, datos, wal)
        finally:
            servidor.detener()


@contextmanager
def _carpeta_del_servidor() -> Generator[tuple[Path, Path]]:
    """La carpeta de un servidor, que luego se borra, y dónde están sus programas."""
    donde = binarios()
    if donde is None:
        pytest.skip("falta PostgreSQL")
    # En /tmp y no en la carpeta de pytest, que el usuario del servidor no puede atravesar.
    carpeta = Path(tempfile.mkdtemp(prefix="alpes-pg-"))
    try:
        carpeta.chmod(0o755)
        yield carpeta, donde
    finally:
        shutil.rmtree(carpeta)


@contextmanager
def libro_postgresql(url: str) -> Generator[tuple[LibroPostgreSQL, LecturasPostgreSQL]]:
    """Un libro abierto en esa base de datos y quien lo lee; sin arriendos, todo envío está ya vencido."""
    libro = LibroPostgreSQL(url, timedelta(0), proyectar=CUENTAS, limite=SIN_PRISA)
    lecturas = LecturasPostgreSQL(url, limite=SIN_PRISA)
    libro.abrir()
    try:
        yield libro, lecturas
    finally:
        lecturas.cerrar()
        libro.cerrar()
